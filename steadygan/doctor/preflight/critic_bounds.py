"""A Wasserstein critic that nothing holds, or that is held in a way its optimizer fights."""

from collections.abc import Iterator

from torch import nn

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import Unassessed, found
from steadygan.doctor.preflight.preparation import Preparation
from steadygan.names import snake_case
from steadygan.networks.constraints import WeightClip

CLIPPING = "preflight_momentum_with_clipping"
UNBOUNDED = "preflight_unbounded_critic"


def momentum_with_clipping(preparation: Preparation) -> Iterator[Finding]:
    """Look for momentum in D's optimizer beside weight clipping.

    Momentum pushes on against weights that sit at the edge of the box, and what it has gathered
    there lasts for steps. A warning for β₁ > 0 in Adam and its like, or momentum > 0 in SGD and
    RMSprop.

    Source: Arjovsky, Chintala, Bottou (2017), arXiv 1701.07875, section 4: unstable "when one uses
    a momentum based optimizer such as Adam (with β1 > 0)".
    """
    if not preparation.is_told:
        raise Unassessed("neither objective nor constraints are named")
    if not any(isinstance(constraint, WeightClip) for constraint in preparation.constraints):
        return
    momentum = max(map(_momentum, _groups_of(preparation)), default=0.0)
    if momentum <= 0:
        return
    yield found(
        CLIPPING,
        "warning",
        f"the discriminator's weights are clipped, but its {type(preparation.opt_d).__name__} has "
        f"momentum {momentum:g}",
        signal="momentum_d",
        observed=momentum,
        expected="0 beside weight clipping",
        causes=("momentum keeps pushing against clipped weights",),
        remedies=(
            "use a gradient penalty instead of clipping",
            "use RMSprop for the discriminator",
            "set beta1 of the discriminator's Adam to 0",
        ),
    )


def unbounded_critic(preparation: Preparation) -> Iterator[Finding]:
    """Look whether anything holds a critic whose loss has no lower bound.

    A warning where the objective's logits are unbounded (Wasserstein) and there is no active
    penalty, no constraint and no spectral norm in D: its weights then grow without end. Spectral
    norm is known by PyTorch's own, old and new, and by layers that have "spectral" in their name.
    """
    objective = preparation.objective
    if objective is None:
        raise Unassessed("no objective is named")
    is_held = preparation.active_penalties or preparation.constraints or _is_spectral(preparation.d)
    if objective.bounded_logits or is_held:
        return
    yield found(
        UNBOUNDED,
        "warning",
        f"{snake_case(type(objective).__name__)} has no lower bound, and no penalty, constraint or "
        "spectral norm holds the critic",
        signal="critic_bounds",
        observed=0,
        expected="at least 1",
        causes=("the critic lowers its loss by growing, without telling samples apart better",),
        remedies=(
            "add a gradient penalty: lp or wgan_gp",
            "use spectral norm in the discriminator",
            "name penalties and constraints if the loop has them",
        ),
    )


def _groups_of(preparation: Preparation) -> list[dict[str, object]]:
    mine = {id(p) for p in preparation.d.parameters()}
    groups = preparation.opt_d.param_groups
    return [group for group in groups if any(id(p) in mine for p in group["params"])]


def _momentum(group: dict[str, object]) -> float:
    betas = group.get("betas")
    first = betas[0] if isinstance(betas, tuple | list) and betas else group.get("momentum", 0.0)
    return float(first) if isinstance(first, int | float) else 0.0


def _is_spectral(network: nn.Module) -> bool:
    return any(
        "spectral" in type(part).__name__.lower()
        for module in network.modules()
        for part in (module, *module._forward_pre_hooks.values())
    )
