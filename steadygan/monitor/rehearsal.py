"""``steadygan.preflight``: what is wrong with a GAN before step 1."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from steadygan.doctor.diagnosis import Diagnosis
from steadygan.doctor.preflight import (
    Call,
    LabelsOutOfRange,
    Preparation,
    examine_preparation,
)
from steadygan.errors import ContractError, DataError, SteadyganError
from steadygan.networks.constraints import Constraint
from steadygan.objectives import Objective
from steadygan.penalties import Penalty
from steadygan.probes.foreign import (
    Called,
    Forward,
    Given,
    drawn,
    unwrapped,
    unwrapped_optimizer,
)
from steadygan.probes.randomness import restored_randomness

_REALS = 512
_LATENTS = 64
_LARGEST = 2**19  # numbers of each set: 2 MiB


def preflight(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: torch.optim.Optimizer,
    opt_d: torch.optim.Optimizer,
    *,
    real: Given,
    latent: Given,
    objective: Objective | None = None,
    penalties: Iterable[Penalty] = (),
    constraints: Iterable[Constraint] = (),
    forward_g: Forward | None = None,
    forward_d: Forward | None = None,
) -> Diagnosis:
    """Check a GAN before its first step: data, networks, optimizers, and how they fit together.

    Both networks are run once on 64 samples (16 of 1,024 numbers or more), as copies, in the mode
    they are in, and both players' first gradients are taken. Nothing changes: parameters,
    gradients, buffers, hooks, flags and random numbers are bitwise what they were. Call it right
    before the loop. Every finding is at step 0; docs/preflight.md lists the kinds.

    What it has not been told it does not judge: without an objective, the checks that need one are
    listed as not assessed. Silence is no promise that the training goes well; ``watch`` sees that.

    Cost: seconds at most; a copy of both networks' weights, and the memory of two or three forward
    and backward passes on those samples.

    Args:
        generator, discriminator, opt_g, opt_d, real, latent, forward_g, forward_d: as for ``watch``.
        objective: what the discriminator's answers are handed to, as they come. Leave it out where
            the loop has a loss of its own that takes probabilities, such as ``BCELoss``.
        penalties: those that the loop adds to D's loss; from this package, as a description of
            yours.
        constraints: those that it imposes on D's weights.

    Raises:
        DataError: for reals or latents that cannot be used.
        ContractError: for networks that cannot be called, which says why.

    >>> g = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2), nn.Tanh())
    >>> d = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Flatten(0))
    >>> opt_g, opt_d = (torch.optim.Adam(net.parameters(), 1e-3) for net in (g, d))
    >>> pixels = 255 * torch.rand(512, 2)
    >>> print(preflight(g, d, opt_g, opt_d, real=pixels, latent=torch.randn(64, 2)))
    failing after 0 steps
    step 0  CRITICAL  preflight_data_range   reals lie in ..., but the generator's tanh reaches only [-1, 1]: ...
    """
    net_g, net_d = unwrapped(generator), unwrapped(discriminator)
    with restored_randomness(None):
        preparation = Preparation(
            net_g,
            net_d,
            unwrapped_optimizer(opt_g),
            unwrapped_optimizer(opt_d),
            real=_drawn_to(net_d, "real", real, _REALS),
            latent=_drawn_to(net_g, "latent", latent, _LATENTS),
            objective=objective,
            penalties=tuple(penalties),
            constraints=tuple(constraints),
            call_g=_call(forward_g),
            call_d=_call(forward_d),
        )
        _rehearse(preparation)
        return examine_preparation(preparation)


def _drawn_to(network: nn.Module, name: str, given: Given, num: int) -> tuple[Tensor, ...]:
    parts = drawn(name, given, num, largest=_LARGEST)
    if not len(parts[0]):
        raise DataError(f"preflight {name} must hold samples, got none; pass some.")
    device = Called(network, None).device
    return tuple(part.to(device) for part in parts)


def _call(forward: Forward | None) -> Call:
    """How the user's loop calls a network, as the first tensor of its answer."""
    return lambda network, *inputs: Called(network, forward)(*inputs)


def _rehearse(preparation: Preparation) -> None:
    """Run both networks, or say why they cannot be called."""
    try:
        _ = preparation.rehearsal
    except LabelsOutOfRange:
        return  # a finding
    except (RuntimeError, TypeError, ValueError, LookupError) as error:
        if isinstance(error, SteadyganError):
            raise
        shapes = "; ".join(
            f"{name} {', '.join(str(tuple(part.shape)) for part in parts)}"
            for name, parts in (("latent", preparation.latent), ("real", preparation.real))
        )
        raise ContractError(
            f"the networks could not be called with {shapes} ({str(error).partition(chr(10))[0]}); pass "
            "forward_g or forward_d, or tuples with labels as real and latent."
        ) from error
