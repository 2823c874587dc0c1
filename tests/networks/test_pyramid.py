"""The widths and sides of image networks."""

import pytest

from steadygan.networks.pyramid import Pyramid


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128])
def test_widths_double_downwards_until_the_cap(size: int) -> None:
    pyramid = Pyramid(size, 3, 10)
    widths = [pyramid.width_at(side) for side in reversed(pyramid.inner)]
    assert widths == [min(80, 10 * 2**n) for n in range(len(widths))]
    assert pyramid.inner[0] == 4
    assert pyramid.inner[-1] == size // 2
    assert pyramid.width_at(size) == 10
    assert pyramid.event == (3, size, size)
