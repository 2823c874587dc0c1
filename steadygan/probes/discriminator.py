"""What the discriminator knows, on fixed reals and latents: can it tell them apart, and how steeply?"""

from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from steadygan.errors import DataError
from steadygan.probes.probe import Cost, GameView, Probe
from steadygan.probes.untouched import run_untouched

_FEWEST = 16


class Discriminator(Probe):
    """How well D separates fixed reals from fresh fakes, by rank, and its slope at both.

    With logits r of the reals and f of the fakes G(z), z fixed:

        auc             = P(r > f) + ½·P(r = f)                     ½: it cannot, 1: always, 0: reversed
        d_prime         = (mean r − mean f) / √(½·(var r + var f))  the gap in its own spread
        logit_spread    = √(½·(var r + var f))                      near 0: D says the same of everything
        input_grad_real = mean_i ‖∇ₓ D(xᵢ)‖,  input_grad_fake likewise at the fakes

    and, where reals from the training set are given as well, the same area against the same fakes:

        auc_validation  = auc of ``real``,  auc_train = auc of ``train``

    Ranks mean the same for every objective, a Wasserstein critic's unbounded logits included: only
    the order of logits counts. ``d_prime`` is 0 where all logits are equal. Without ``train``
    nothing is said of overfitting. Reals and fakes are judged apart, each as one batch, in the mode
    D trains in: with batch normalisation in D, whose statistics then differ, that is what a
    training with separate batches shows it.

    Cost: one forward pass of G; a forward and a backward pass of D on reals and on fakes, a forward
    pass on ``train``.

    Args:
        real: reals in G's scale, at least 16; held out from training, if there are any.
        latents: the fixed latents.
        labels: of the reals; the latents get the first ones.
        train: reals that D trains on, as many as ``real``.
        train_labels: theirs.

    Shape: real (n, *event), latents (m, *latent), labels (n,), train (k, *event), train_labels (k,).

    Raises:
        DataError: for fewer than 16 reals, latents or training reals, or fewer labels than latents.

    Source: the area under the receiver's curve as a rank statistic: Hanley, McNeil (1982), doi
    10.1148/radiology.143.1.7063747; d′: Green, Swets (1966). A gap between training and validation
    reals as the sign of overfitting: Karras et al. (2020), arXiv 2006.06676, eq. 1, who compare mean
    logits; the difference of areas is free of their scale.

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
        real: Float[Tensor, "n *event"],
        latents: Float[Tensor, "m *latent"],
        labels: Int[Tensor, " n"] | None = None,
        *,
        train: Float[Tensor, "k *event"] | None = None,
        train_labels: Int[Tensor, " k"] | None = None,
    ) -> None:
        for name, given in (("real", real), ("latents", latents), ("train", train)):
            if given is not None and len(given) < _FEWEST:
                raise DataError(
                    f"Discriminator.{name} must hold at least {_FEWEST} samples, got {len(given)}; "
                    "give more or switch the probe off."
                )
        if labels is not None and len(labels) < len(latents):
            raise DataError(
                f"Discriminator must be given a label for each latent, got {len(labels)} for "
                f"{len(latents)}; give as many latents as reals."
            )
        self.real, self.latents, self.labels = real, latents, labels
        self.train, self.train_labels = train, train_labels

    def measure(self, view: GameView) -> dict[str, float | Tensor]:
        """The five signals on ``view.d``, and the two areas where training reals were given."""
        of_fakes = None if self.labels is None else self.labels[: len(self.latents)]
        fake = run_untouched(view.g, *_inputs(self.latents, of_fakes))
        d = _Judgement(view.d)
        real_logits, real_slopes = _halves(run_untouched(d, *_inputs(self.real, self.labels)))
        fake_logits, fake_slopes = _halves(run_untouched(d, *_inputs(fake, of_fakes)))
        spread = (0.5 * (real_logits.var() + fake_logits.var())).sqrt()
        gap = real_logits.mean() - fake_logits.mean()
        area = auc(real_logits, fake_logits)
        found: dict[str, float | Tensor] = {
            "auc": area,
            "d_prime": torch.where(spread > 0, gap / spread, gap.sign() * torch.inf).where(
                gap != 0, gap
            ),
            "logit_spread": spread,
            "input_grad_real": real_slopes.mean(),
            "input_grad_fake": fake_slopes.mean(),
        }
        if self.train is not None:
            logits = run_untouched(view.d, *_inputs(self.train, self.train_labels))
            found["auc_train"] = auc(_per_sample(logits), fake_logits)
            found["auc_validation"] = area
        return found


def auc(real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """P(real > fake) + ½·P(equal) over all pairs; NaN where a logit is not finite.

    >>> float(auc(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0])))
    0.875
    """
    order = torch.sign(real[:, None] - fake[None, :])
    finite = torch.isfinite(real).all() & torch.isfinite(fake).all()
    return (0.5 + 0.5 * order.mean()).where(finite, torch.nan)


class _Judgement(nn.Module):
    """D's logits and the norms of their input gradients, (n,) each, one after the other in (2n,)."""

    def __init__(self, d: nn.Module) -> None:
        super().__init__()
        self.d = d

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            logits = _per_sample(self.d(*_inputs(x, y)))
            if logits.requires_grad:
                (slope,) = torch.autograd.grad(logits.sum(), x)
            else:  # a D that ignores its input
                slope = torch.zeros_like(x)
        return torch.cat([logits.detach(), slope.flatten(1).norm(dim=1).float()])


def _inputs(x: Tensor, y: Tensor | None) -> tuple[Tensor, ...]:
    return (x,) if y is None else (x, y)


def _halves(both: Tensor) -> tuple[Tensor, Tensor]:
    return both[: len(both) // 2], both[len(both) // 2 :]


def _per_sample(logits: Tensor) -> Tensor:
    return logits.float().reshape(len(logits), -1).mean(dim=1)
