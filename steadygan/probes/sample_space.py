"""The alarm's backbone: what the samples themselves say, in units of the data's own statistics."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ContractError, DataError
from steadygan.metrics.features import FeatureMap
from steadygan.probes.probe import Cost, GameView, Probe
from steadygan.probes.yardstick import K, Yardstick
from steadygan.types import Labels, Samples, StateDict

FEWEST_REALS = 4 * (K + 1)


class SampleSpace(Probe):
    """Compares the live generator's samples with reals: distance, coverage, spread, modes, motion.

    With reals x, fakes y = φ(G(z)) from latents that never change, in features φ:

        energy_distance = (2·E‖x − y‖ − E‖x − x'‖ − E‖y − y'‖) / E‖x − x'‖      0 is perfect
        coverage        = mean_i 1[min_j ‖yⱼ − xᵢ‖ < r₅(xᵢ)]                   0.97 is perfect
        precision       = mean_j 1[min_i ‖yⱼ − xᵢ‖ / r₅(xᵢ) < 1]                0.95 is perfect
        nearness        = mean_j 1[min_i (‖yⱼ − xᵢ‖ − r₅(xᵢ)) < 0.15·E‖x − x'‖]        1 is perfect
        dispersion      = E‖y − y'‖ / E‖x − x'‖                                 1 is perfect
        effective_rank  = ρ(y) / ρ(x),  ρ = (Σλ)² / Σλ²                         1 is perfect
        modes           = mean_c 1[q_c ≥ ⅒·p_c]                                 1 is perfect
        mode_shift      = ½·Σ_c |q_c − p_c|                                     0.15 is perfect
        duplicates      = mean_j 1[min_l ‖yⱼ − y_l‖ < 1st percentile of the reals' own]   0.01
        fixed_z_drift   = mean_j ‖yⱼ(t) − yⱼ(t − Δ)‖ / E‖x − x'‖                over one interval Δ

    where r₅ is the distance to the fifth nearest other real, λ the eigenvalues of the features'
    covariance, and p_c, q_c the shares of reals and fakes in each of about twenty clusters of the
    reals (``Clusters``). What perfect samples get is that of 256 on 256; ``mode_shift`` is above 0 by
    the noise of the counts alone. All are free of units and hold for any objective, because D is not
    asked. They are measured on the live generator in the mode it trains in: an average of its weights
    would hide a collapse for a while. Not for ranking finished runs (few samples, coarse features):
    that is what ``steadygan.metrics`` is for. Discrete data has duplicates of its own; then the
    percentile may be 0 and ``duplicates`` too.

    Without ``feature_map`` one is fitted to the first half of the reals, and fakes are compared with
    the other half, which is new to the map as the fakes are. ``baseline`` holds what perfect samples
    would get: two halves of that half, compared with each other.

    The first measurement has no ``fixed_z_drift``. Signals are NaN where samples are not finite.

    Cost: a forward pass of G on the latents, and 2·n² distances in at most 64 dimensions. For n =
    256 on one CPU core about 1 ms beside G's pass for points in the plane, and 13 ms for 3x32x32
    images (three quarters of it random convolutions).

    Args:
        real: reals in G's scale, ``FEWEST_REALS`` (24) at least; 512 is a good number.
        latents: the fixed latents, about half as many.
        labels: one for each real, for a generator that takes them; the latents get those of the
            second half, so that fakes and reals have the same mix of classes.
        feature_map: samples to features; None: see above.

    Shape: real (2n, *event), latents (n, *latent), labels (2n,).

    Raises:
        DataError: for too few reals, reals that are all the same or not finite, or fewer labels
            than latents.

    Source: Székely, Rizzo (2013), doi 10.1016/j.jspi.2013.03.018 (energy distance); Naeem et al.
    (2020), arXiv 2002.09797 (coverage); Kynkäänniemi et al. (2019), arXiv 1904.06991, eq. 2
    (precision, with the fifth neighbour); Roy, Vetterli (2007), "The effective rank", whose exponential
    of the entropy of λ/Σλ is taken at order two here, which needs no eigenvalues; Richardson, Weiss
    (2018), arXiv 1805.12462 (shares in clusters of the reals).

    >>> from torch import nn
    >>> probe = SampleSpace(torch.randn(200, 2), torch.randn(100, 2))
    >>> found = probe.measure(GameView(g=nn.Identity(), d=nn.Identity(), step=1))
    >>> 0.8 < float(found["dispersion"]) < 1.2, float(found["coverage"]) > 0.8
    (True, True)
    """

    unit: ClassVar[str] = ""
    cost: ClassVar[Cost] = "forward"

    def __init__(
        self,
        real: Samples,
        latents: Float[Tensor, "n *latent"],
        labels: Labels | None = None,
        *,
        feature_map: FeatureMap | None = None,
    ) -> None:
        half = len(real) // 2
        if len(real) < FEWEST_REALS:
            raise DataError(
                f"SampleSpace must be given at least {FEWEST_REALS} reals, got {len(real)}; "
                "give more data or switch the probe off."
            )
        self.latents = latents
        self.labels = None if labels is None else labels[half : half + len(latents)]
        if self.labels is not None and len(self.labels) < len(latents):
            raise DataError(
                f"SampleSpace must be given a label for each latent, got {len(self.labels)} in the "
                f"second half for {len(latents)}; give as many latents as half of the reals."
            )
        self.event = real.shape[1:]
        self.map = feature_map if feature_map is not None else FeatureMap.fit(real[:half])
        features = self.map(real[half:])
        self.yardstick = Yardstick(features)
        self.baseline = Yardstick.against_itself(features)
        self._previous: Tensor | None = None

    def measure(self, view: GameView) -> dict[str, float | Tensor]:
        """The signals on ``view.g``."""
        features = self._features(view)
        found: dict[str, float | Tensor] = {**self.yardstick.compare(features)}
        if self._previous is None:
            self._previous = features
            return found
        found["fixed_z_drift"] = self.yardstick.move(self._previous, features)
        # Samples that are not finite are no place to measure the next move from.
        self._previous = torch.where(torch.isfinite(features).all(), features, self._previous)
        return found

    def state_dict(self) -> StateDict:
        """The samples that the next ones will have moved from."""
        return {"previous": self._previous}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._previous = state["previous"]

    def compare(self, view: GameView) -> dict[str, Tensor]:
        """The signals that need no memory, for another G: nothing is remembered of it."""
        return self.yardstick.compare(self._features(view))

    def _features(self, view: GameView) -> Float[Tensor, "n k"]:
        inputs = (self.latents,) if self.labels is None else (self.latents, self.labels)
        fake = view.samples(*inputs)
        if fake.shape[1:] != self.event:
            raise ContractError(
                f"G must return samples of the data's shape {tuple(self.event)}, got "
                f"{tuple(fake.shape[1:])}; give SampleSpace reals in the generator's own shape."
            )
        return self.map(fake.float())
