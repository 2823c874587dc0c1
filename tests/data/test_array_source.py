"""Stored samples: epochs, straddling batches, thread safety, digits."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from steadygan.data import Arrays, ArraySource, Digits, HorizontalFlip, Interval, Rescaled, Ring
from steadygan.errors import ConfigError


def numbered(num: int) -> ArraySource:
    """Sample i is the number i."""
    x = torch.arange(num, dtype=torch.float32)[:, None]
    return ArraySource(x, None, scale=Interval(0.0, 1.0))


def test_a_batch_straddles_epochs() -> None:
    source = numbered(10)
    x = source.draw(8, 4, seed=0)[0].flatten().tolist()
    first, second = source.draw(0, 10, seed=0)[0], source.draw(10, 10, seed=0)[0]
    assert x == [*first[8:].flatten().tolist(), *second[:2].flatten().tolist()]


def test_one_draw_may_cover_many_epochs() -> None:
    x = numbered(5).draw(3, 27, seed=0)[0].flatten().long()
    assert torch.bincount(x).tolist() != [0] * 5
    assert sorted(x[2:7].tolist()) == list(range(5))
    assert sorted(x[22:27].tolist()) == list(range(5))


def test_epochs_differ_and_few_orders_are_kept() -> None:
    source = numbered(50)
    orders = [tuple(source.draw(50 * e, 50, seed=0)[0].flatten().tolist()) for e in range(6)]
    assert len(set(orders)) == 6
    assert len(source._orders) <= 2


def test_shuffles_are_uniform() -> None:
    """Every place of the epoch gets every sample equally often: chi-square over 4 x 4 cells."""
    source = numbered(4)
    counts = torch.zeros(4, 4)
    for seed in range(2000):
        for place, i in enumerate(source.draw(0, 4, seed=seed)[0].flatten().long().tolist()):
            counts[place, i] += 1
    assert ((counts - 500) ** 2 / 500).sum() < 30  # 9 degrees of freedom: p < 0.001 beyond 28


def test_threads_do_not_disturb_each_other() -> None:
    source = Digits()
    expected = [source.draw(i * 900, 64, seed=i % 3)[0] for i in range(60)]
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda i: source.draw(i * 900, 64, seed=i % 3)[0], range(60)))
    assert all(torch.equal(a, b) for a, b in zip(expected, drawn, strict=True))


def test_augmentation_needs_images() -> None:
    with pytest.raises(ConfigError, match=r"Arrays\.augment needs images"):
        Arrays(torch.rand(10, 4), augment=[HorizontalFlip()])


def test_augmentation_is_drawn_by_position_not_by_sample() -> None:
    x = torch.arange(8.0).div(8).reshape(1, 1, 1, 8).repeat(64, 1, 2, 1)
    source = Arrays(x, range=(0, 1), augment=[HorizontalFlip(p=0.5)])
    flipped = source.draw(0, 640, seed=0)[0][:, 0, 0, 0] > 0
    assert 0.4 < flipped.double().mean() < 0.6
    assert not torch.equal(flipped[:64], flipped[64:128]), "each epoch needs its own"
    assert (source.reference(64, seed=0)[0][:, 0, 0, 0] < 0).all(), "references are as stored"


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    theirs = load_digits()
    source = Digits(labels=True)
    x, y = source.reference(10_000, seed=0)
    assert y is not None
    assert torch.equal(source.to_data(x)[:, 0], torch.from_numpy(theirs.images).float())
    assert y.tolist() == theirs.target.tolist()
    assert (source.size, source.classes, source.event) == (1797, 10, (1, 8, 8))


def test_digits_without_labels_have_no_classes() -> None:
    assert Digits().classes == 0
    assert Digits().draw(0, 4, seed=0)[1] is None


def test_larger_digits_keep_range_and_mean() -> None:
    small, large = Digits().reference(2000, seed=0)[0], Digits(size=32).reference(2000, seed=0)[0]
    assert large.shape == (1797, 1, 32, 32)
    assert large.mean().item() == pytest.approx(small.mean().item(), abs=0.01)


@pytest.mark.parametrize("size", [4, 12, 0])
def test_digits_refuse_other_sizes(size: int) -> None:
    with pytest.raises(ConfigError, match=r"Digits\.size must be a power of two >= 8"):
        Digits(size=size)


def test_rescaled_leads_to_the_same_units() -> None:
    digits, unit = Digits(), Rescaled(Digits(), (0.0, 1.0))
    a, b = digits.draw(0, 64, seed=0)[0], unit.draw(0, 64, seed=0)[0]
    assert torch.equal(digits.to_data(a), unit.to_data(b))
    assert unit.network_range == (0.0, 1.0)


def test_rescaled_refuses_unbounded_data_and_empty_ranges() -> None:
    with pytest.raises(ConfigError, match="Ring is unbounded"):
        Rescaled(Ring(), (0.0, 1.0))
    with pytest.raises(ConfigError, match="lo < hi"):
        Rescaled(Digits(), (1.0, 1.0))


def test_to_data_is_clipped() -> None:
    x = torch.tensor([[-3.0, -1.0, 0.0, 1.0, 3.0]])
    assert Interval(0.0, 255.0).to_data(x).tolist() == [[0, 0, 127.5, 255, 255]]


def test_all_bytes_survive_the_round_trip() -> None:
    values = torch.arange(256, dtype=torch.uint8)[None]
    for network in ((-1.0, 1.0), (0.0, 1.0)):
        scale = Interval(0.0, 255.0, network)
        assert torch.equal(scale.to_data(scale.to_network(values)).round().to(torch.uint8), values)
