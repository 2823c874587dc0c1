"""The oracle tells perfect samples from every way to fail."""

import pytest
import torch
from torch import Tensor, nn

from steadygan.data import Digits, Moons, Ring
from steadygan.ward.oracle import Oracle


class Fixed(nn.Module):
    """Samples that are given, whatever the latents."""

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        self.x = x

    def forward(self, z: Tensor) -> Tensor:
        return self.x


SOURCES = {"ring": Ring(std=0.2), "moons": Moons(), "digits": Digits(labels=True)}
LATENTS = torch.zeros(1000, 2)


@pytest.mark.parametrize("name", SOURCES)
def test_new_reals_are_well(name: str) -> None:
    source = SOURCES[name]
    x, _ = source.draw(10**6, 1000, seed=1)
    reading = Oracle.of(source).read(7, Fixed(x), LATENTS, None)
    assert reading.step == 7
    assert reading.well
    assert reading.good > 0.9
    assert reading.variety > 0.8


@pytest.mark.parametrize("name", SOURCES)
def test_one_real_again_and_again_is_bad(name: str) -> None:
    x, _ = SOURCES[name].draw(10**6, 1, seed=1)
    reading = Oracle.of(SOURCES[name]).read(1, Fixed(x.expand(1000, *x.shape[1:])), LATENTS, None)
    assert reading.bad
    assert reading.modes < 0.2


def test_noise_without_quality_is_bad() -> None:
    reading = Oracle.of(SOURCES["ring"]).read(1, Fixed(5 * torch.randn(1000, 2)), LATENTS, None)
    assert reading.good < 0.1
    assert reading.bad


def test_a_few_reals_copied_are_bad_though_every_mode_is_there() -> None:
    source = SOURCES["digits"]
    x, y = source.draw(0, 400, seed=1)
    assert y is not None
    few = torch.cat([x[y == digit][:2] for digit in range(10)])
    reading = Oracle.of(source).read(1, Fixed(few[torch.arange(1000) % 20]), LATENTS, None)
    assert reading.modes == 1.0
    assert reading.variety < 0.15
    assert reading.bad


def test_some_classes_only() -> None:
    source = SOURCES["digits"]
    x, y = source.draw(0, 1797, seed=1)
    assert y is not None
    ones = x[y == 1]
    oracle = Oracle.of(source, only=(1,))
    assert oracle.read(1, Fixed(ones[torch.arange(1000) % len(ones)]), LATENTS, None).modes == 1.0


def test_samples_that_are_no_numbers() -> None:
    reading = Oracle.of(SOURCES["ring"]).read(
        1, Fixed(torch.full((1000, 2), torch.nan)), LATENTS, None
    )
    assert not reading.finite
    assert reading.bad
