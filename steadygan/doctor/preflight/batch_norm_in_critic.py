"""Batch normalisation where D must judge each sample on its own."""

from collections.abc import Iterator

from torch import nn

from steadygan.doctor.findings import Finding, Severity
from steadygan.doctor.preflight.check import Unassessed, found, listed
from steadygan.doctor.preflight.preparation import Preparation
from steadygan.names import snake_case
from steadygan.networks.constraints import WeightClip
from steadygan.penalties import DRAGAN, LP, WGANGP

KIND = "preflight_batch_norm_in_critic"
_AT_MIXED_POINTS = (WGANGP, LP, DRAGAN)


def batch_norm_in_critic(preparation: Preparation) -> Iterator[Finding]:
    """Look for batch norm in D beside a penalty that is per sample.

    Under batch norm D's answer on one sample depends on all others, so that ∇ₓ of one logit is not
    the slope that the penalty means. critical with ``WGANGP``, ``LP`` and ``DRAGAN``, whose points
    are a batch of their own and get statistics that neither reals nor fakes have; a warning with
    any other penalty; a warning with a Wasserstein objective that is not clipped, where batch norm
    breaks the Lipschitz bound. The original WGAN clips weights beside batch norm, which stays
    silent. Batch norm in eval mode is per sample and does not count.

    Source: Gulrajani et al. (2017), arXiv 1704.00028, section 4, "No critic batch normalization".
    """
    layers = _batch_norms(preparation.d)
    if not layers:
        return
    if not preparation.is_told:
        raise Unassessed("D has batch norm, and neither objective nor penalties are named")
    objection = _objection(preparation)
    if objection is None:
        return
    severity, reason = objection
    yield found(
        KIND,
        severity,
        f"the discriminator has batch norm in {listed(layers)}, but {reason}",
        signal="batch_norm_layers",
        observed=len(layers),
        expected="0",
        causes=("batch norm makes D's answer on a sample depend on the rest of the batch",),
        remedies=(
            "use layer or instance norm in the discriminator, or none",
            "use spectral norm instead of batch norm",
            "drop the penalty",
        ),
    )


def _objection(preparation: Preparation) -> tuple[Severity, str] | None:
    penalties, objective = preparation.active_penalties, preparation.objective
    if penalties:
        worst = next((p for p in penalties if isinstance(p, _AT_MIXED_POINTS)), penalties[0])
        reason = f"{snake_case(type(worst).__name__)} is a penalty per sample"
        return "critical" if isinstance(worst, _AT_MIXED_POINTS) else "warning", reason
    is_clipped = any(isinstance(constraint, WeightClip) for constraint in preparation.constraints)
    if objective is None or objective.bounded_logits or is_clipped:
        return None
    name = snake_case(type(objective).__name__)
    return "warning", f"{name} needs a critic that is Lipschitz in each sample"


def _batch_norms(network: nn.Module) -> list[str]:
    return [
        name or type(module).__name__
        for name, module in network.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
        and (module.training or module.running_mean is None)
    ]
