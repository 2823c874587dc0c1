"""Two distributions on a line, one shift apart, and what every ruler says of them, in closed form."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from steadygan.errors import ConfigError

Numbers = Float64[Tensor, " k"]

RULERS = ("jensen_shannon", "kl", "total_variation", "least_squares", "mmd", "wasserstein")
"""Names of the rulers, in the order of tables."""


@dataclass(frozen=True)
class ShiftedPair(ABC):
    """Reals around 0 and fakes of the same shape around a shift: G has one parameter to get right.

    Rulers, each a function of the shift θ, differentiable, elementwise:

        jensen_shannon  ½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2          [nats; at most log 2]
        kl              KL(q‖p) = ∫ q log(q/p)                        [nats]
        total_variation ½ ∫ |p − q|                                   [at most 1]
        least_squares   ∫ (p − q)²/(p + q), the Pearson χ² of LSGAN   [at most 2]
        mmd             E k(x,x') + E k(y,y') − 2 E k(x,y), k a Gaussian kernel of width ``kernel``
        wasserstein     W₁ = |θ|                                      [units of x]

    Args:
        spread: standard deviation or width [units of x].
        kernel: width of the kernel of ``mmd`` [units of x].

    Source: Arjovsky, Chintala, Bottou (2017), arXiv 1701.07875, example 1; Mao et al. (2017), arXiv
    1611.04076, eq. 8; Gretton et al. (2012), lemma 6.
    """

    name: ClassVar[str]
    spread: float = 1.0
    kernel: float = 1.0

    def __post_init__(self) -> None:
        """Refuse distributions without a width."""
        for setting in ("spread", "kernel"):
            if not 0 < getattr(self, setting) < math.inf:
                raise ConfigError(
                    f"{type(self).__name__}.{setting} must be > 0 and finite, got "
                    f"{getattr(self, setting)}; Points have no spread at all."
                )

    @abstractmethod
    def draw(self, num: int, generator: torch.Generator) -> Numbers:
        """Reals; fakes are reals plus the shift."""

    @abstractmethod
    def nodes(self) -> tuple[Numbers, Numbers]:
        """Points and weights that integrate over the reals."""

    @abstractmethod
    def log_ratio(self, x: Tensor, shift: Tensor) -> Tensor:
        """log p(x)/q(x), infinite where only one of them lives."""

    @abstractmethod
    def jensen_shannon(self, shift: Numbers) -> Numbers:
        """See the class docstring."""

    @abstractmethod
    def kl(self, shift: Numbers) -> Numbers:
        """See the class docstring."""

    @abstractmethod
    def total_variation(self, shift: Numbers) -> Numbers:
        """See the class docstring."""

    @abstractmethod
    def least_squares(self, shift: Numbers) -> Numbers:
        """See the class docstring."""

    @abstractmethod
    def _kernel_mean(self, shift: Numbers) -> Numbers:
        """E k(x, x' + θ) for two reals x, x'."""

    def mmd(self, shift: Numbers) -> Numbers:
        """2 (κ(0) − κ(θ)), κ(θ) = E k(x, x' + θ)."""
        return 2 * (self._kernel_mean(torch.zeros_like(shift)) - self._kernel_mean(shift))

    def wasserstein(self, shift: Numbers) -> Numbers:
        """|θ|: every grain is carried by the shift."""
        return shift.abs()


@dataclass(frozen=True)
class Gaussians(ShiftedPair):
    """N(0, spread²) against N(θ, spread²): they always overlap, but soon by next to nothing.

    >>> pair = Gaussians()
    >>> [round(float(pair.jensen_shannon(torch.tensor([t], dtype=torch.float64))), 4) for t in (0, 2, 20)]
    [0.0, 0.3368, 0.6931]
    """

    name: ClassVar[str] = "gaussians"

    def draw(self, num: int, generator: torch.Generator) -> Numbers:
        """Normal numbers."""
        return self.spread * torch.randn(num, generator=generator, dtype=torch.float64)

    def nodes(self) -> tuple[Numbers, Numbers]:
        """The trapezoidal rule, which converges geometrically on a Gaussian."""
        z = torch.linspace(-9, 9, 721, dtype=torch.float64)
        weights = torch.exp(-z.square() / 2)
        return self.spread * z, weights / weights.sum()

    def log_ratio(self, x: Tensor, shift: Tensor) -> Tensor:
        """(θ² − 2 θ x) / 2 spread²."""
        return (shift.square() - 2 * shift * x) / (2 * self.spread**2)

    def jensen_shannon(self, shift: Numbers) -> Numbers:
        """log 2 − E_p softplus(−log p/q): both halves are equal by symmetry."""
        x, weights = self.nodes()
        ratio = self.log_ratio(x[:, None], shift)
        gap = torch.nn.functional.softplus(-ratio)
        return math.log(2) - (weights[:, None] * gap).sum(0)

    def kl(self, shift: Numbers) -> Numbers:
        """θ² / 2 spread²."""
        return shift.square() / (2 * self.spread**2)

    def total_variation(self, shift: Numbers) -> Numbers:
        """erf(|θ| / 2√2 spread)."""
        return torch.erf(shift.abs() / (2 * math.sqrt(2) * self.spread))

    def least_squares(self, shift: Numbers) -> Numbers:
        """(p − q)²/(p + q) = (p + q) tanh²(½ log p/q): 2 E_p tanh², as both halves are equal."""
        x, weights = self.nodes()
        squared = torch.tanh(self.log_ratio(x[:, None], shift) / 2).square()
        return 2 * (weights[:, None] * squared).sum(0)

    def _kernel_mean(self, shift: Numbers) -> Numbers:
        width = self.kernel**2 + 2 * self.spread**2
        return self.kernel / math.sqrt(width) * torch.exp(-shift.square() / (2 * width))


@dataclass(frozen=True)
class Uniforms(ShiftedPair):
    """U[−w/2, w/2] against the same shifted by θ, w = spread: disjoint from θ = w on.

    There Jensen-Shannon is log 2 whatever the distance, and so are all rulers that compare densities
    point by point: nothing is left to follow.

    >>> Uniforms().jensen_shannon(torch.tensor([0.0, 0.5, 1.0, 7.0], dtype=torch.float64)).tolist()
    [0.0, 0.34657359027997264, 0.6931471805599453, 0.6931471805599453]
    """

    name: ClassVar[str] = "uniforms"

    def draw(self, num: int, generator: torch.Generator) -> Numbers:
        """Uniform numbers."""
        return self.spread * (torch.rand(num, generator=generator, dtype=torch.float64) - 0.5)

    def nodes(self) -> tuple[Numbers, Numbers]:
        """The midpoint rule."""
        num = 720
        z = (torch.arange(num, dtype=torch.float64) + 0.5) / num - 0.5
        return self.spread * z, torch.full_like(z, 1 / num)

    def log_ratio(self, x: Tensor, shift: Tensor) -> Tensor:
        """0 where both live, ±∞ elsewhere: flat, with jumps."""
        half = self.spread / 2
        in_p, in_q = x.abs() <= half, (x - shift).abs() <= half
        return torch.where(in_p & in_q, 0.0, torch.where(in_p, math.inf, -math.inf)) + 0 * x

    def _apart(self, shift: Numbers) -> Numbers:
        """The share of the mass without a counterpart, min(|θ|/w, 1)."""
        return (shift.abs() / self.spread).clamp(max=1.0)

    def jensen_shannon(self, shift: Numbers) -> Numbers:
        """log 2 · min(|θ|/w, 1)."""
        return math.log(2) * self._apart(shift)

    def kl(self, shift: Numbers) -> Numbers:
        """Infinite as soon as θ ≠ 0: some fakes lie where no real can."""
        return torch.where(shift == 0, 0.0, math.inf).to(shift)

    def total_variation(self, shift: Numbers) -> Numbers:
        """min(|θ|/w, 1)."""
        return self._apart(shift)

    def least_squares(self, shift: Numbers) -> Numbers:
        """2 min(|θ|/w, 1)."""
        return 2 * self._apart(shift)

    def _kernel_mean(self, shift: Numbers) -> Numbers:
        """Over x − x', whose density is a triangle; by its two integrals."""

        def twice_integrated(t: Tensor) -> Tensor:  # F'' = exp(−t²/2h²)
            h = self.kernel
            inner = h * math.sqrt(math.pi / 2) * torch.erf(t / (math.sqrt(2) * h))
            return t * inner + h * h * torch.exp(-t.square() / (2 * h * h))

        w = self.spread
        around = twice_integrated(shift + w) + twice_integrated(shift - w)
        return (around - 2 * twice_integrated(shift)) / w**2


@dataclass(frozen=True)
class Points(ShiftedPair):
    """All reals at 0, all fakes at θ: the Dirac-GAN, and the limit of thin data.

    >>> Points().total_variation(torch.tensor([0.0, 1e-9], dtype=torch.float64)).tolist()
    [0.0, 1.0]
    """

    name: ClassVar[str] = "points"

    def draw(self, num: int, generator: torch.Generator) -> Numbers:
        """Zeros."""
        return torch.zeros(num, dtype=torch.float64)

    def nodes(self) -> tuple[Numbers, Numbers]:
        """One point."""
        return torch.zeros(1, dtype=torch.float64), torch.ones(1, dtype=torch.float64)

    def log_ratio(self, x: Tensor, shift: Tensor) -> Tensor:
        """0 if both are the same point, else ±∞."""
        fake = torch.where(x == 0, math.inf, -math.inf)
        return torch.where(shift == 0, 0.0, fake) + 0 * x

    def jensen_shannon(self, shift: Numbers) -> Numbers:
        """log 2 as soon as θ ≠ 0."""
        return math.log(2) * (shift != 0).double()

    def kl(self, shift: Numbers) -> Numbers:
        """Infinite as soon as θ ≠ 0."""
        return torch.where(shift == 0, 0.0, math.inf).to(shift)

    def total_variation(self, shift: Numbers) -> Numbers:
        """1 as soon as θ ≠ 0."""
        return (shift != 0).double()

    def least_squares(self, shift: Numbers) -> Numbers:
        """2 as soon as θ ≠ 0."""
        return 2 * (shift != 0).double()

    def _kernel_mean(self, shift: Numbers) -> Numbers:
        return torch.exp(-shift.square() / (2 * self.kernel**2))
