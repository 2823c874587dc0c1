"""What the discriminator says of fixed reals, held-out reals and the generator's present samples."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.probes.discriminator import auc
from steadygan.probes.probe import Cost, GameView, Probe
from steadygan.probes.untouched import run_untouched

Inputs = tuple[Tensor, ...]
"""What D is called with: samples, and labels where it takes them."""

_CERTAIN = 6.9  # 1 − σ(6.9) = 0.001
_TINY = 1e-12


class DiscriminatorLogits(Probe):
    """D's logits on reals r, fakes f and, where given, validation reals v, with means m and deviations s.

        logit_real, logit_fake, logit_validation = m_r, m_f, m_v
        logit_real_std, logit_fake_std           = s_r, s_f
        auc        = P(r > f) + P(r = f)/2        ½: D sees no difference, 1: it sees all
        d_prime    = (m_r − m_f) / √((s_r² + s_f²)/2)
        accuracy   = (P(r > 0) + P(f < 0)) / 2
        saturated_real, saturated_fake = P(r > 6.9), P(f < −6.9)

    With validation reals ``auc`` is taken on them, and ``auc_train`` and ``auc_validation`` stand side
    by side: D tells reals it trains on from others where the first is larger. ``auc`` and ``d_prime`` do
    not depend on the logits' scale and hold for any objective. ``accuracy`` and saturation (D's sigmoid
    within 0.001 of its goal) mean nothing for a Wasserstein critic, whose logits have no zero.

    None of it says alone that a run is ill: a D that wins every comparison is the rule early on. All are
    NaN where a logit they are taken from is not finite.

    Cost: a forward pass of G, two or three of D, and n² comparisons.

    Args:
        real: D's inputs for reals, samples first.
        latents: of the fakes; D is asked about as many of them as there are reals at most.
        fake_labels: D's further inputs for fakes.
        validation: D's inputs for reals held out from the training.

    Shape: samples (n, *event), latents (m, *latent).

    >>> from torch import nn
    >>> d = nn.Flatten(0)
    >>> probe = DiscriminatorLogits((torch.ones(4, 1),), -torch.ones(4, 1))
    >>> found = probe.measure(GameView(g=nn.Identity(), d=d, step=1))
    >>> float(found["auc"]), float(found["accuracy"])
    (1.0, 1.0)
    """

    unit: ClassVar[str] = ""
    cost: ClassVar[Cost] = "forward"

    def __init__(
        self,
        real: Inputs,
        latents: Float[Tensor, "m *latent"],
        *,
        fake_labels: Inputs = (),
        validation: Inputs | None = None,
    ) -> None:
        self.real = real
        self.latents = latents
        self.fake_labels = fake_labels
        self.validation = validation

    def measure(self, view: GameView) -> dict[str, float | Tensor]:
        """The signals on ``view.g`` and ``view.d``."""
        device = self.real[0].device
        fakes = run_untouched(view.g, self.latents).to(device)
        r = run_untouched(view.d, *self.real).float()
        asked = (part[: len(r)] for part in (fakes, *self.fake_labels))
        f = run_untouched(view.d, *asked).float()
        found = _statistics(r, f)
        if self.validation is not None:
            v = run_untouched(view.d, *self.validation).float()
            found["logit_validation"] = v.mean()
            found["auc_train"] = found["auc"]
            found["auc"] = found["auc_validation"] = auc(v, f)
        return dict(found)


def _statistics(r: Float[Tensor, " n"], f: Float[Tensor, " m"]) -> dict[str, Tensor]:
    known = torch.isfinite(r).all() & torch.isfinite(f).all()
    s_r, s_f = r.std(correction=0), f.std(correction=0)
    pooled = ((s_r.square() + s_f.square()) / 2).sqrt().clamp_min(_TINY)
    shares = {
        "accuracy": ((r > 0).float().mean() + (f < 0).float().mean()) / 2,
        "saturated_real": (r > _CERTAIN).float().mean(),
        "saturated_fake": (f < -_CERTAIN).float().mean(),
    }
    return {
        "logit_real": r.mean(),
        "logit_fake": f.mean(),
        "logit_real_std": s_r,
        "logit_fake_std": s_f,
        "auc": auc(r, f),
        "d_prime": (r.mean() - f.mean()) / pooled,
        # A comparison with NaN is False, which would read as a share.
        **{name: share.where(known, torch.nan) for name, share in shares.items()},
    }
