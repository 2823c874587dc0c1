"""The stream: prefetching changes nothing, errors surface, slices and layouts are right."""

import threading

import pytest
import torch
from torch import Tensor

from steadygan.data import Arrays, Digits, Latent, Ring, Stream
from steadygan.errors import ConfigError, DataError
from steadygan.types import Batch


def equal(a: Batch, b: Batch) -> bool:
    same_y = (a.y is None) == (b.y is None) and (a.y is None or bool((a.y == b.y).all()))
    return torch.equal(a.x, b.x) and torch.equal(a.z, b.z) and same_y


@pytest.mark.parametrize("ahead", [1, 3])
def test_prefetching_changes_nothing(ahead: int) -> None:
    source = Digits(labels=True)
    plain = Stream(source, Latent(4), 100, seed=3, prefetch=0)
    quick = Stream(source, Latent(4), 100, seed=3, prefetch=ahead)
    for _ in range(40):  # crosses two epochs
        assert equal(plain(), quick())
    assert quick.state_dict() == plain.state_dict() == {"position": 40}
    quick.close()


def test_resume_with_batches_ahead() -> None:
    """What the thread prepared but nobody took does not count."""
    source = Digits()
    plain = Stream(source, Latent(4), 50, seed=3, prefetch=0)
    expected = [plain() for _ in range(10)]
    first = Stream(source, Latent(4), 50, seed=3, prefetch=3)
    for i in range(4):
        assert equal(first(), expected[i])
    second = Stream(source, Latent(4), 50, seed=3, prefetch=2)
    second.load_state_dict(first.state_dict())
    first.load_state_dict({"position": 2})  # back in time, in the same stream
    for i in range(4, 10):
        assert equal(second(), expected[i])
        assert equal(first(), expected[i - 2])
    first.close()
    second.close()


def test_close_stops_the_thread_and_a_call_starts_it_again() -> None:
    stream = Stream(Ring(), Latent(2), 8, seed=0, prefetch=2)
    before = stream()
    assert any(t.name.startswith("steadygan-data") for t in threading.enumerate())
    stream.close()
    stream.close()
    assert not any(t.name.startswith("steadygan-data") for t in threading.enumerate())
    assert not equal(stream(), before)
    assert stream.position == 2
    stream.close()


class Breaking(Arrays):
    """Fails on the samples from 24 on, until it is mended."""

    broken = True

    def draw(self, position: int, num: int, *, seed: int) -> tuple[Tensor, Tensor | None]:
        if self.broken and position >= 24:
            raise DataError("sample 24 is broken")
        return super().draw(position, num, seed=seed)


@pytest.mark.parametrize("prefetch", [0, 2])
def test_an_error_comes_with_its_own_batch_and_can_be_retried(prefetch: int) -> None:
    source = Breaking(torch.rand(100, 3))
    stream = Stream(source, Latent(2), 8, seed=0, prefetch=prefetch)
    for _ in range(3):
        stream()
    with pytest.raises(DataError, match="sample 24 is broken"):
        stream()
    assert stream.state_dict() == {"position": 3}
    source.broken = False
    expected = Stream(Arrays(source._stored), Latent(2), 8, seed=0)
    assert torch.equal(stream().z, expected.at(3).z)
    stream.close()


def test_prefetching_is_chosen_by_size() -> None:
    assert Stream(Ring(), Latent(64), 64, seed=0).prefetch == 0
    assert Stream(Digits(size=64), Latent(64), 256, seed=0).prefetch == 2
    assert Stream(Digits(size=64), Latent(64), 256, seed=0, world=64).prefetch == 0


def test_channels_last_changes_the_layout_alone() -> None:
    source = Arrays(torch.rand(20, 3, 8, 8))
    plain = Stream(source, Latent(2), 4, seed=0)()
    batch = Stream(source, Latent(2), 4, seed=0, channels_last=True)()
    assert batch.x.is_contiguous(memory_format=torch.channels_last)
    assert not plain.x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(batch.x, plain.x)
    Stream(Ring(), Latent(2), 4, seed=0, channels_last=True)()  # points have no channels


def test_a_batch_may_be_the_whole_set_and_no_more() -> None:
    source = Arrays(torch.rand(10, 3))
    batch = Stream(source, Latent(2), 10, seed=0)()
    assert len(batch.x.unique(dim=0)) == 10
    with pytest.raises(DataError, match="holds 10 samples, fewer than one batch of 11"):
        Stream(source, Latent(2), 11, seed=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch": 0}, "positive multiple of world"),
        ({"batch": 10, "world": 3}, "got batch=10 for world=3"),
        ({"batch": 9, "world": 3, "rank": 3}, r"rank must be in 0\.\.2, got 3"),
        ({"batch": 9, "prefetch": -1}, "prefetch must be >= 0"),
    ],
)
def test_refusals(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Stream(Ring(), Latent(2), seed=0, **settings)
