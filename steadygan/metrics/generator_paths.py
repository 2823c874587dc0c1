"""What a generator does to its latent space: how long its paths are, and how unevenly it stretches."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from steadygan.errors import ConfigError, DataError
from steadygan.metrics.intervals import Z95, around, mean_interval
from steadygan.metrics.points import checked
from steadygan.metrics.result import Result

Generator = Callable[[Tensor], Tensor]
Features = Callable[[Tensor], Tensor | np.ndarray]
_LATENTS = 32  # whose Jacobians are held at once


@dataclass(frozen=True, kw_only=True)
class PathLength(Result):
    """The mean squared speed of features; ``median`` beside it, because the lengths have a long tail."""

    median: float


@dataclass(frozen=True, kw_only=True)
class ConditionNumber(Result):
    """The mean ln of the condition number of JᵀJ [nats]; ``spread`` is its standard deviation over latents."""

    spread: float
    smallest: float
    largest: float


def perceptual_path_length(
    generator: Generator,
    latent: Tensor,
    features: Features,
    *,
    epsilon: float = 1e-4,
    discard: float = 0.01,
    batch: int = 64,
    spherical: bool = True,
    seed: int = 0,
) -> PathLength:
    """How fast the features of samples change along random paths between latents: smooth is low.

    PPL = mean_i ‖φ(G(z_i(t + ε))) − φ(G(z_i(t)))‖² / ε²,   t uniform on [0, 1]

    with zᵢ(·) the great circle (latents from a Gaussian) or the line (from a box, or learned)
    between two latents. It is in units of the features, hence compares generators under one feature
    map only; "perceptual" are the features of a trained network. The generator is run in evaluation
    mode, without gradients, and left as it was. The interval is that of a trimmed mean, by the
    winsorised variance. Cost: n passes of G and φ.

    Args:
        generator: latents to samples; a module is put into evaluation mode meanwhile.
        latent: 2·n latents from the prior; row 2i is the start of a path and row 2i + 1 its end.
        features: samples to features, of any shape beyond the first dimension.
        epsilon: ε in (0, 0.1], the step along the path.
        discard: share of the shortest and of the longest paths each that is left out, in [0, 0.5).
        batch: paths at once.
        spherical: great circles, for Gaussian latents.
        seed: of t.

    Shape: latent (2n, l).

    Raises:
        ConfigError: for options out of range.
        DataError: for fewer than two latents, or features that are not finite.

    Source: Karras, Laine, Aila (2019), arXiv 1812.04948, section 4.1, with LPIPS as the distance;
    we take the features' squared Euclidean one, which LPIPS is under its own features.
    """
    if not 0 < epsilon <= 0.1 or not 0 <= discard < 0.5 or batch < 1:
        raise ConfigError(
            f"epsilon must be in (0, 0.1], discard in [0, 0.5) and batch >= 1, got {epsilon}, {discard} "
            f"and {batch}; the published choices are 1e-4 and 0.01."
        )
    z = _latents(latent)
    start, end = z[0 : 2 * (len(z) // 2) : 2], z[1::2]
    g = torch.Generator().manual_seed(seed)
    t = torch.rand(len(start), 1, generator=g, dtype=torch.float64).to(z.device) * (1 - epsilon)
    path = _great_circle if spherical else torch.lerp
    lengths = []
    with _at_rest(generator), torch.no_grad():
        for i in range(0, len(start), batch):
            ends = start[i : i + batch].double(), end[i : i + batch].double()
            here, there = (path(*ends, t[i : i + batch] + s).to(z.dtype) for s in (0.0, epsilon))
            both = _features(features, generator(torch.cat([here, there])))
            lengths.append((both[len(here) :] - both[: len(here)]).square().sum(dim=1) / epsilon**2)
    all_lengths = torch.cat(lengths)
    value, half = _trimmed(all_lengths, discard)
    return PathLength(
        value=value,
        interval=None if half is None else around(value, half, (0.0, math.inf)),
        n_fake=len(all_lengths),
        median=float(all_lengths.median()),
    )


def condition_number(
    generator: Generator, latent: Tensor, *, floor: float = 1e-12
) -> ConditionNumber:
    """How unevenly the generator stretches its latent space: the conditioning of its Jacobian.

    value = mean_i ln(λ_max / λ_min) of J(zᵢ)ᵀJ(zᵢ),   J = ∂G/∂z

    0 for a similarity; large where directions of the latent are ignored (collapse) while others
    are amplified. Compare at one latent dimension. Batch norm and dropout are in evaluation mode.
    The interval is t's over latents. Cost: l backward passes through the
    generator's own backward pass, for all latents together.

    Args:
        generator: latents to samples, each by itself; a module is put into evaluation mode meanwhile.
        latent: latents from the prior.
        floor: the least λ_min / λ_max that is told apart from 0: rounding, not the generator.

    Shape: latent (n, l).

    Raises:
        DataError: for no latents, or a Jacobian that is 0 or not finite.

    Source: Odena, Buckman, Olsson, Brown, Olah, Raffel, Goodfellow (2018), arXiv 1802.08768,
    section 2; the mean of ln instead of the mean, as in their figures.
    """
    z = _latents(latent, least=1)
    with _at_rest(generator):
        stretch = torch.cat([_stretch(generator, part) for part in torch.split(z, _LATENTS)])
    bad = ~torch.isfinite(stretch).all(dim=1) | (stretch[:, 0] <= 0)
    if bool(bad.any()):
        row = int(bad.nonzero()[0])
        raise DataError(
            f"generator must have a finite Jacobian other than 0, got {float(stretch[row, 0])} at latent "
            f"{row}; its output does not depend on the latent there."
        )
    ratios = (stretch[:, -1] / stretch[:, 0]).square()
    cut, values = int((ratios < floor).sum()), -ratios.clamp(min=floor).log()
    notes: tuple[str, ...] = ()
    if cut:
        notes = (
            f"at {cut} of {len(z)} latents a direction is lost: λ_min was taken for {floor} of λ_max.",
        )
    return ConditionNumber(
        value=float(values.mean()),
        interval=mean_interval(values, (0.0, math.inf)),
        n_fake=len(z),
        spread=float(values.std()) if len(z) > 1 else 0.0,
        smallest=float(stretch.min()),
        largest=float(stretch.max()),
        warnings=notes,
    )


def _stretch(generator: Generator, z: Float[Tensor, "n l"]) -> Float[Tensor, "n l"]:
    """The singular values of every sample's Jacobian, largest first; 0 for latents beyond its outputs.

    Jᵀu is linear in u, hence its derivative in u, along one latent at a time, is a column of J: l
    backward passes for all samples together, with no need for forward-mode derivatives.
    """
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        samples = generator(z).flatten(1)
        u = torch.zeros_like(samples, requires_grad=True)
        if not samples.requires_grad:
            return torch.zeros(z.shape, dtype=torch.float64)
        (back,) = torch.autograd.grad(samples, z, u, create_graph=True, materialize_grads=True)
        columns = [
            torch.autograd.grad(one.sum(), u, retain_graph=True, materialize_grads=True)[0]
            for one in back.unbind(1)
        ]
    values: Tensor = torch.linalg.svdvals(torch.stack(columns, dim=2).double())
    lost = values.new_zeros(len(z), max(0, z.shape[1] - values.shape[1]))
    return torch.cat([values, lost], dim=1)


def _latents(latent: Tensor, *, least: int = 2) -> Float[Tensor, "n l"]:
    if latent.dim() != 2 or len(latent) < least or not latent.is_floating_point():
        raise DataError(
            f"latent must be floats of shape (n, l) with n >= {least}, got {latent.dtype} of shape "
            f"{tuple(latent.shape)}; draw them from the prior."
        )
    return latent.detach()


@contextmanager
def _at_rest(generator: Generator) -> Iterator[None]:
    """Evaluation mode, and every module's flag as it was afterwards."""
    modules = list(generator.modules()) if isinstance(generator, nn.Module) else []
    training = [m.training for m in modules]
    try:
        for m in modules:
            m.training = False
        yield
    finally:
        for m, flag in zip(modules, training, strict=True):
            m.training = flag


def _great_circle(
    a: Float[Tensor, "b l"], b: Float[Tensor, "b l"], t: Float[Tensor, "b 1"]
) -> Float[Tensor, "b l"]:
    """From a to b, the direction on the sphere and the length on the line."""
    size_a, size_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    cosine = (a * b).sum(dim=1, keepdim=True) / (size_a * size_b).clamp(min=1e-30)
    angle = cosine.clamp(-1, 1).arccos()
    sine = angle.sin()
    wide = sine > 1e-6
    safe = torch.where(wide, sine, 1.0)
    u = torch.where(wide, ((1 - t) * angle).sin() / safe, 1 - t)
    v = torch.where(wide, (t * angle).sin() / safe, t)
    turned = u * a / size_a.clamp(min=1e-30) + v * b / size_b.clamp(min=1e-30)
    moved: Tensor = turned * torch.lerp(size_a, size_b, t)
    return moved


def _features(features: Features, samples: Tensor) -> Float[Tensor, "b f"]:
    return checked("features", torch.as_tensor(features(samples)).flatten(1))


def _trimmed(x: Float[Tensor, " n"], share: float) -> tuple[float, float | None]:
    """Mean without the extremes, and its half width (Yuen 1974, doi 10.1093/biomet/61.1.165)."""
    ordered = x.sort().values
    out = int(share * len(x))
    inner = ordered[out : len(x) - out]
    clamped = ordered.clamp(inner[0], inner[-1])
    if len(inner) < 2:
        return float(inner.mean()), None
    error = float(clamped.std()) / ((1 - 2 * out / len(x)) * len(x) ** 0.5)
    return float(inner.mean()), Z95 * error
