"""A generator that makes the same of every latent."""

from collections.abc import Iterator

import torch

from steadygan.doctor.findings import Finding, Severity
from steadygan.doctor.preflight.check import Unassessed, exact, found
from steadygan.doctor.preflight.preparation import Preparation

KIND = "preflight_latent_ignored"
_HARDLY = 1e-6


def latent_ignored(preparation: Preparation) -> Iterator[Finding]:
    """Hand the generator the same latents in another order, noise and labels unchanged.

    With r = rms(G(z') − G(z)) / rms(reals − their mean), where z' is z moved on by one place:

        critical    all latents drawn are the same; or G(z') = G(z) exactly and no graph leads from
                    the samples to z
        warning     r < 10⁻⁶: at first the samples hardly depend on z

    The order is moved, not the values, so that batch statistics stay. A last layer that starts at 0
    is a warning for a good reason: it may be meant.
    """
    rehearsal = preparation.rehearsal
    z, fake = rehearsal.z.detach(), rehearsal.fake.detach()
    if len(z) < 2:
        raise Unassessed("needs 2 latents")
    if bool((z == z[:1]).all()):
        yield _same_latents(len(z))
        return
    moved = rehearsal.g(z.roll(1, dims=0), *rehearsal.labels).detach()
    change = float((moved - fake).cpu().double().square().mean().sqrt())
    real = preparation.real[0]
    spread = float(exact(real).var(dim=0, correction=0).mean().sqrt())
    if not change <= _HARDLY * spread:
        return  # also where one of them is no number, which other checks say
    is_cut = change == 0 and not _leads_to_latents(rehearsal.fake, rehearsal.z)
    severity: Severity = "critical" if is_cut else "warning"
    yield found(
        KIND,
        severity,
        "the generator's samples are the same for any latents"
        if change == 0
        else f"other latents change the generator's samples by {change:.1e}, {change / spread:.1e} of "
        "the spread of reals",
        signal="change_with_latents",
        observed=change,
        expected=f"above {_HARDLY:.0e} of the spread of reals, {spread:.2g}",
        causes=(
            "the forward pass does not use z: it draws its own, or detaches it",
            "the generator's first weights are 0 or far too small",
            "its output is saturated",
        ),
        remedies=(
            "use z in the forward of the generator",
            "initialise the generator variance preserving",
        ),
    )


def _leads_to_latents(fake: torch.Tensor, z: torch.Tensor) -> bool:
    if not fake.requires_grad:
        return False
    (grad,) = torch.autograd.grad(fake.sum(), [z], retain_graph=True, allow_unused=True)
    return grad is not None


def _same_latents(num: int) -> Finding:
    return found(
        KIND,
        "critical",
        f"all {num} latents are the same",
        signal="distinct_latents",
        observed=1,
        expected=f"up to {num}",
        causes=("latent returns one vector repeated",),
        remedies=("draw latents anew for each sample: torch.randn(n, size)",),
    )
