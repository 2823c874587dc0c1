"""LP: WGANGP's value above slope one, nothing below."""

import pytest
import torch

from steadygan.penalties import LP, WGANGP
from steadygan.types import Judged


@pytest.mark.parametrize(("slope", "expected"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (3.0, 4.0)])
def test_one_sided(slope: float, expected: float) -> None:
    judged = Judged(torch.zeros(2, 2), torch.zeros(2))
    assert LP()(lambda x: slope * x[:, 0], judged, judged).tolist() == [expected] * 2


def test_is_wgan_gp_where_the_critic_is_too_steep() -> None:
    real, fake = torch.randn(2, 64, 3, dtype=torch.float64)
    sides = Judged(real, real[:, 0]), Judged(fake, fake[:, 0])
    values = []
    for penalty in (LP(), WGANGP()):
        torch.manual_seed(1)
        values.append(penalty(lambda x: x.square().sum(1), *sides))
    torch.manual_seed(1)
    points = real + torch.rand(64, 1, dtype=torch.float64) * (fake - real)
    steep = 2 * points.norm(dim=1) > 1
    assert 0 < steep.sum() < 64
    assert torch.equal(values[0], torch.where(steep, values[1], 0.0))
