"""How near samples come to the training data, against how near unseen data comes."""

from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from steadygan.errors import DataError
from steadygan.metrics.distances import distances
from steadygan.metrics.features import FeatureMap
from steadygan.probes.probe import Cost, GameView, Probe

_FEWEST = 16


class Memory(Probe):
    """The median distance to the nearest training real: of fakes, and of reals held out.

    With features φ of training reals x, validation reals v and fakes y = φ(G(z)), z fixed:

        nn_train      = median_j min_i ‖yⱼ − xᵢ‖
        nn_validation = median_j min_i ‖vⱼ − xᵢ‖        the same at every measurement

    Samples as new as unseen data have both equal; copies bring the first to 0. The reals given as
    ``train`` must be all that the game trains on, or at least what it could copy from: a copy of a
    real that is not among them goes unseen. Medians, since a few far samples prove nothing.

    Cost: a forward pass of G and n·k distances in at most 64 dimensions, for n latents and k
    training reals.

    Args:
        train: training reals in G's scale, at least 16.
        validation: reals the game never sees, at least 16.
        latents: the fixed latents.
        labels: one for each latent, for a generator that takes them.
        feature_map: samples to features; None: one fitted to ``train``.

    Shape: train (k, *event), validation (n, *event), latents (m, *latent), labels (m,).

    Raises:
        DataError: for too few reals.

    Source: Meehan, Chaudhuri, Dasgupta (2020), arXiv 2004.05675, who compare the same two sets of
    distances by rank; medians keep the ratio readable.
    """

    unit: ClassVar[str] = ""
    cost: ClassVar[Cost] = "forward"

    def __init__(
        self,
        train: Float[Tensor, "k *event"],
        validation: Float[Tensor, "n *event"],
        latents: Float[Tensor, "m *latent"],
        labels: Int[Tensor, " m"] | None = None,
        *,
        feature_map: FeatureMap | None = None,
    ) -> None:
        for name, given in (("train", train), ("validation", validation)):
            if len(given) < _FEWEST:
                raise DataError(
                    f"Memory.{name} must hold at least {_FEWEST} reals, got {len(given)}; "
                    "give more or switch the probe off."
                )
        self.latents, self.labels = latents, labels
        self.map = feature_map if feature_map is not None else FeatureMap.fit(train)
        self.train = self.map(train)
        self.nn_validation = _nearest(self.map(validation), self.train)

    def measure(self, view: GameView) -> dict[str, float | Tensor]:
        """The two medians; NaN where a fake is not finite."""
        inputs = (self.latents,) if self.labels is None else (self.latents, self.labels)
        fake = self.map(view.samples(*inputs).float())
        known = torch.isfinite(fake).all()
        return {
            "nn_train": _nearest(fake, self.train).where(known, torch.nan).float(),
            "nn_validation": self.nn_validation.float(),
        }


def _nearest(points: Float[Tensor, "n k"], of: Float[Tensor, "m k"]) -> Float[Tensor, ""]:
    median: Tensor = distances(points, of).amin(dim=1).median()
    return median
