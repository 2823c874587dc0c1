"""The classifier: trained once, cached, honest about its accuracy, and one channel at a time for stacks."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from steadygan.errors import DataError
from steadygan.evaluation import Classifier, Preparation, SampleSet, from_array, stack_channels
from steadygan.evaluation.maps.sample_map import probabilities_of

HOW = Preparation(num=None)


@pytest.fixture(scope="module")
def digits() -> SampleSet:
    x, y = load_digits(return_X_y=True)
    how = Preparation(num=None, range=(0.0, 16.0))
    return from_array(x.reshape(-1, 8, 8), "labelled", how, labels=y)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def trained(digits: SampleSet, cache: Path) -> Classifier:
    return Classifier(digits, cache=cache).fitted(None)


def test_it_learns_digits_and_says_how_well(trained: Classifier) -> None:
    assert trained.accuracy > 0.95
    assert trained.about()["accuracy_on"] == 300
    assert "warning" not in trained.about()
    assert trained.classes == 10


def test_the_accuracy_is_that_of_samples_it_never_saw(digits: SampleSet, cache: Path) -> None:
    """Of 600: few enough to be learnt by heart soon."""
    assert digits.labels is not None
    chosen = torch.randperm(len(digits))[:600]
    shuffled = digits.labels[chosen][torch.randperm(600)]
    rough = Classifier(replace(digits, x=digits.x[chosen], labels=shuffled), cache=cache).fitted(
        None
    )
    assert rough.accuracy < 0.2
    assert "rough" in rough.about()["warning"]


def test_it_is_trained_once(
    digits: SampleSet, cache: Path, trained: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steadygan.evaluation.maps.classifier._train", None)
    again = Classifier(digits, cache=cache).fitted(None)
    assert again.fingerprint() == trained.fingerprint()
    assert again.accuracy == trained.accuracy
    x = digits.network(slice(0, 5))
    assert torch.equal(again(x), trained(x))


def test_a_damaged_cache_is_trained_again(digits: SampleSet, tmp_path: Path) -> None:
    small = replace(
        digits, x=digits.x[:60], labels=digits.labels[:60] if digits.labels is not None else None
    )
    first = Classifier(small, cache=tmp_path).fitted(None)
    (file,) = tmp_path.glob("classifier-*.safetensors")
    file.write_bytes(file.read_bytes()[:100])
    assert Classifier(small, cache=tmp_path).fitted(None).fingerprint() == first.fingerprint()


def test_a_cache_that_cannot_be_written_costs_only_time(digits: SampleSet, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    small = replace(
        digits, x=digits.x[:60], labels=digits.labels[:60] if digits.labels is not None else None
    )
    assert Classifier(small, cache=tmp_path / "file" / "below").fitted(None).classes == 10


def test_training_leaves_the_global_generator_alone(digits: SampleSet, tmp_path: Path) -> None:
    small = replace(
        digits, x=digits.x[:60], labels=digits.labels[:60] if digits.labels is not None else None
    )
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    Classifier(small, cache=tmp_path).fitted(None)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads


def test_stacked_images_are_named_by_their_channels(digits: SampleSet, trained: Classifier) -> None:
    assert digits.labels is not None
    x, modes = stack_channels(digits.x[:, 0], digits.labels, 500)
    side = from_array(x, "fake", HOW)
    probabilities = probabilities_of(side, trained)
    assert probabilities.shape == (500, 1000)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(500))
    right = (probabilities.argmax(1) == modes).float().mean()
    assert right > 0.9
    single = trained.labels(side.network()[:, 1:2])
    assert torch.equal(probabilities.argmax(1) // 10 % 10, single)


def test_another_size_is_brought_to_the_classifiers(trained: Classifier, digits: SampleSet) -> None:
    large = digits.network(slice(0, 50)).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert digits.labels is not None
    assert (trained.labels(large) == digits.labels[:50]).float().mean() > 0.9


def test_points_are_classified_too(tmp_path: Path) -> None:
    y = torch.arange(600) % 3
    x = torch.randn(600, 2, generator=torch.Generator().manual_seed(0)) + 6 * y[:, None]
    found = Classifier(from_array(x, "real", HOW, labels=y), cache=tmp_path).fitted(None)
    assert found.accuracy > 0.95


def test_what_it_needs(digits: SampleSet, trained: Classifier) -> None:
    with pytest.raises(DataError, match="no samples were given"):
        Classifier().fitted(None)
    with pytest.raises(DataError, match="has none; name some: classifier:FILE"):
        Classifier().fitted(replace(digits, labels=None))
    with pytest.raises(DataError, match="at least two classes"):
        Classifier().fitted(replace(digits, labels=torch.zeros(len(digits), dtype=torch.long)))
    with pytest.raises(DataError, match="knows samples of shape"):
        trained(torch.rand(2, 64))


def test_stacks_are_what_they_say() -> None:
    x = torch.arange(4).view(4, 1, 1).expand(4, 2, 2)
    stacks, modes = stack_channels(x, torch.arange(4), 200, channels=2, seed=1)
    assert torch.equal(stacks[:, 0, 0, 0] * 4 + stacks[:, 1, 0, 0], modes)
    assert len(modes.unique()) == 16
