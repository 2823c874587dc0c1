"""What the discriminator knows, on fixed reals and latents: can it tell them apart, and how steeply?"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import DataError
from steadygan.probes.probe import Cost, GameView, Inputs, Probe
from steadygan.probes.slopes import Slopes
from steadygan.probes.untouched import Run, visiting

_FEWEST = 16
_CERTAIN = 6.9  # 1 − σ(6.9) = 0.001
_TINY = 1e-12


class Discriminator(Probe):
    """How well D separates fixed reals from fresh fakes, how sure it is, and how steep around them.

    With D's logits r on reals, f on the fakes G(z), z fixed, and, where given, v on validation reals;
    m their means, s their deviations, and h = v, or r where there is no v:

        auc          = P(h > f) + ½·P(h = f)                 ½: it cannot, 1: always, 0: reversed
        logit_spread = √(½·(s_h² + s_f²))                    near 0: D says the same of everything
        d_prime      = (m_h − m_f) / logit_spread            the gap in its own spread
        logit_real, logit_fake, logit_real_std, logit_fake_std = m_r, m_f, s_r, s_f
        accuracy     = ½·(P(r > 0) + P(f < 0))
        saturated_real, saturated_fake = P(r > 6.9), P(f < −6.9)
        input_grad_real    = mean ‖∇ₓ D(x)‖ at reals,  input_grad_fake at fakes,
        input_grad_between = the same at a·x + (1 − a)·G(z),  a uniform and fixed

    and with validation reals also

        logit_validation = m_v,  auc_train = area of r,  auc_validation = area of v

    against the same fakes: D knows its reals by heart where ``auc_train`` is the larger. What judges
    D's power is taken on reals that it has not learnt, if there are any. Ranks mean the same for
    every objective, a Wasserstein critic's unbounded logits included: only the order counts.
    ``accuracy`` and saturation (D's sigmoid within 0.001 of its goal) mean nothing for such a critic,
    whose logits have no zero. None of it says alone that a run is ill.

    Each set is judged as one batch (large samples: in slices of the view's ``at_once``), in the mode
    D trains in: with batch normalisation in D, whose statistics then differ, that is what a training
    with separate batches shows it. Slopes are those
    of 32 samples of each. A D that has no slopes (an operation without a derivative) loses those
    signals and keeps the others. NaN where a logit it is taken from is not finite.

    Cost: a forward pass of G; forward passes of D on two or three sets; a forward and a backward pass
    of D on 3 times 32 samples.

    Args:
        real: reals that D trains on, in G's scale, at least 16; or a tuple with D's further inputs.
        latents: the fixed latents; or a tuple with G's further inputs. D is asked about as many fakes
            as there are reals at most.
        fake_labels: D's further inputs for the fakes.
        validation: as ``real``, held out from the training.

    Shape: samples (n, *event), latents (m, *latent), further inputs (n, ...) and (m, ...).

    Raises:
        DataError: for fewer than 16 reals, latents or validation reals.

    Source: the area under the receiver's curve as a rank statistic: Hanley, McNeil (1982), doi
    10.1148/radiology.143.1.7063747; d′: Green, Swets (1966). A gap between training and validation
    reals as the sign of overfitting: Karras et al. (2020), arXiv 2006.06676, eq. 1, who compare mean
    logits; the difference of areas is free of their scale. Slopes between reals and fakes: Gulrajani
    et al. (2017), arXiv 1704.00028, eq. 3.

    >>> from torch import nn
    >>> probe = Discriminator(torch.ones(20, 2), torch.zeros(20, 2))
    >>> class Sum(nn.Module):
    ...     def forward(self, x):
    ...         return x.sum(1)
    >>> found = probe.measure(GameView(g=nn.Identity(), d=Sum(), step=1))
    >>> float(found["auc"]), round(float(found["input_grad_real"]), 3)
    (1.0, 1.414)
    """

    unit: ClassVar[str] = ""
    cost: ClassVar[Cost] = "backward"

    def __init__(
        self,
        real: Tensor | Inputs,
        latents: Tensor | Inputs,
        *,
        fake_labels: Inputs = (),
        validation: Tensor | Inputs | None = None,
    ) -> None:
        self.real, self.latents = _inputs(real), _inputs(latents)
        self.fake_labels = fake_labels
        self.validation = None if validation is None else _inputs(validation)
        sets = {"real": self.real, "latents": self.latents, "validation": self.validation}
        for name, given in sets.items():
            if given is not None and len(given[0]) < _FEWEST:
                raise DataError(
                    f"Discriminator.{name} must hold at least {_FEWEST} samples, got "
                    f"{len(given[0])}; give more or switch the probe off."
                )
        self._slopes = Slopes()

    def measure(self, view: GameView) -> dict[str, float | Tensor]:
        """The signals on ``view.g`` and ``view.d``."""
        num = len(self.real[0])
        samples = view.samples(*self.latents).to(self.real[0])  # also its precision
        fakes = tuple(part[:num] for part in (samples, *self.fake_labels))
        with torch.no_grad(), visiting(view.d, self.real[0].device, at_once=view.at_once) as d:
            r, f = _logits(d, self.real), _logits(d, fakes)
            v = None if self.validation is None else _logits(d, self.validation)
            slopes = self._slopes.measure(d, self.real, fakes)
        found = _levels(r, f)
        if v is None:
            found |= _separation(r, f)
        else:
            found |= _separation(v, f)
            found |= {"logit_validation": v.mean(), "auc_train": auc(r, f)}
            found["auc_validation"] = found["auc"]
        return {**found, **slopes}


def auc(real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """P(real > fake) + ½·P(equal) over all pairs; NaN where a logit is not finite.

    >>> float(auc(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0])))
    0.875
    """
    order = torch.sign(real[:, None] - fake[None, :])
    return (0.5 + 0.5 * order.mean()).where(_known(real, fake), torch.nan)


def _separation(h: Float[Tensor, " n"], f: Float[Tensor, " m"]) -> dict[str, Tensor]:
    spread = (0.5 * (h.var(correction=0) + f.var(correction=0))).sqrt()
    gap = h.mean() - f.mean()
    return {"auc": auc(h, f), "d_prime": gap / spread.clamp_min(_TINY), "logit_spread": spread}


def _levels(r: Float[Tensor, " n"], f: Float[Tensor, " m"]) -> dict[str, Tensor]:
    shares = {
        "accuracy": 0.5 * ((r > 0).float().mean() + (f < 0).float().mean()),
        "saturated_real": (r > _CERTAIN).float().mean(),
        "saturated_fake": (f < -_CERTAIN).float().mean(),
    }
    return {
        "logit_real": r.mean(),
        "logit_fake": f.mean(),
        "logit_real_std": r.std(correction=0),
        "logit_fake_std": f.std(correction=0),
        # A comparison with NaN is False, which would read as a share.
        **{name: share.where(_known(r, f), torch.nan) for name, share in shares.items()},
    }


def _known(r: Float[Tensor, " n"], f: Float[Tensor, " m"]) -> Tensor:
    return torch.isfinite(r).all() & torch.isfinite(f).all()


def _logits(d: Run, inputs: Inputs) -> Float[Tensor, " n"]:
    logits = d(*inputs).float()
    return logits.reshape(len(logits), -1).mean(dim=1)


def _inputs(given: Tensor | Inputs) -> Inputs:
    return (given,) if isinstance(given, Tensor) else given
