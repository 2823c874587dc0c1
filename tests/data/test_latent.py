"""Latent priors: distribution by moments, purity, refusals."""

import math

import pytest
import torch

from steadygan.data import Latent
from steadygan.errors import ConfigError


@pytest.mark.parametrize(
    ("prior", "variance"), [("normal", 1.0), ("uniform", 1 / 3), ("sphere", 1.0)]
)
def test_moments(prior: str, variance: float) -> None:
    z = Latent(8, prior).sample(20_000, seed=0, position=0).double()
    assert z.mean(0).abs().max() < 5 * math.sqrt(variance / 20_000)
    covariance = torch.cov(z.T)
    assert torch.allclose(covariance, variance * torch.eye(8).double(), atol=0.05)


def test_sphere_has_norm_root_dim() -> None:
    z = Latent(5, "sphere").sample(100, seed=0, position=3)
    assert torch.allclose(z.norm(dim=1), torch.full((100,), math.sqrt(5)), rtol=1e-6)


def test_uniform_stays_inside() -> None:
    z = Latent(4, "uniform").sample(10_000, seed=0, position=0)
    assert z.min() >= -1
    assert z.max() < 1


def test_chunks_join() -> None:
    whole = Latent(6).sample(130, seed=1, position=10)
    parts = [Latent(6).sample(13, seed=1, position=10 + 13 * i) for i in range(10)]
    assert torch.equal(whole, torch.cat(parts))


def test_latents_do_not_follow_the_samples() -> None:
    """Data and latents of one seed must not be the same numbers."""
    from steadygan.data import Ring

    ring = Ring(modes=1, radius=1.0, std=1.0)
    noise = ring.to_data(ring.draw(0, 4096, seed=0)[0]) - ring.centres
    z = Latent(2).sample(4096, seed=0, position=0)
    assert torch.corrcoef(torch.cat([noise, z], dim=1).T)[:2, 2:].abs().max() < 0.08


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"Latent\.dim must be >= 1, got 0"):
        Latent(0)
