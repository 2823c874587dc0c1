"""What an optimizer is about to apply, and what it did: gradients and updates of one player."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from steadygan.types import Player, StateDict

_LOW_PRECISION = frozenset({torch.float16, torch.bfloat16})
_TINY = 1e-30
_MOST = 2**16  # numbers of one tensor that a trace looks at, up to twice as many


class Located(NamedTuple):
    """The gradient norm of each parameter at one step, kept until somebody asks where it went wrong."""

    names: Sequence[str]
    norms: Float[Tensor, " n"]

    def first_bad(self) -> str | None:
        """The parameter whose gradient was the first to be no number; waits for the device.

        The backward pass runs from the last layer to the first, so the last in order is the first
        in time.
        """
        finite = torch.isfinite(self.norms).tolist()
        bad = [name for name, is_finite in zip(self.names, finite, strict=True) if not is_finite]
        return bad[-1] if bad else None


class PlayerGauge:
    """Measures one player around its optimizer's step, where the gradients are the applied ones.

    With gradient g, weights w before and w' after the step, over the player's parameters that have a
    gradient:

        grad_norm    = ‖g‖ / s                     s: the loss scale, where the optimizer divides by it
        update_ratio = ‖w' − w‖ / ‖w‖              on traced steps
        weight_norm  = ‖w‖                         on traced steps
        grad_cosine  = ⟨g, g'⟩ / (‖g‖·‖g'‖)        g' the player's next gradient after a traced step

    The last three are of every k-th number of a tensor that holds 2¹⁷ or more, each counted k times,
    so that at most 2¹⁷ are copied of each: exact for small networks, within a few percent for others.

    and ``lr``, the first of its groups' learning rates, and on traced steps its ``momentum`` (the first
    beta of Adam and its kin). Names end in the player. Gradients clipped by
    the loop are seen clipped. Under a scaler that leaves the division to a fused optimizer there is
    ``loss_scale`` beside an overflowing norm, by which the doctor knows it for a step that is
    skipped; other scalers do not call the optimizer then, and nothing is measured.

    Nothing waits for a device: all results stay 0-d tensors. Cost: one read of the gradients a step; a
    traced step copies gradients and weights (those that are counted), and reads them three times more.

    Args:
        player: whose gauge.
        network: the player's network.
    """

    def __init__(self, player: Player, network: nn.Module) -> None:
        self.player = player
        self.located: Located | None = None
        self._names = {id(p): name for name, p in network.named_parameters()}
        self._moving: list[Tensor] = []
        self._weights: list[Thinned] = []
        self._earlier: list[Thinned] = []
        self._earlier_of: list[int] = []

    def owns(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether the optimizer holds a parameter of this player."""
        return any(
            id(p) in self._names for group in optimizer.param_groups for p in group["params"]
        )

    def moves_in(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether this step would move the player: one of its parameters has a gradient."""
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None and id(p) in self._names:
                    return True
        return False

    def seems_to_move(self, optimizer: torch.optim.Optimizer) -> bool:
        """``moves_in`` at a glance, for steps at which nothing is measured: what moved last has a gradient again."""
        moved = self._moving
        return (bool(moved) and moved[0].grad is not None) or self.moves_in(optimizer)

    @property
    def is_waiting(self) -> bool:
        """Whether a traced gradient waits for the next one to be compared with."""
        return bool(self._earlier)

    @torch.no_grad()
    def before(
        self, optimizer: torch.optim.Optimizer, *, traced: bool = False
    ) -> dict[str, Tensor | float]:
        """The signals that the step about to be made shows.

        Args:
            optimizer: about to step; one that moves the player.
            traced: whether to measure this step's update, and the turn to the next gradient.
        """
        self._weights = []  # of a step that failed
        self._moving = [
            p
            for group in optimizer.param_groups
            for p in group["params"]
            if p.grad is not None and id(p) in self._names
        ]
        grads = [_dense(p.grad) for p in self._moving if p.grad is not None]
        norms = _norms(grads)
        norm = torch.linalg.vector_norm(norms)
        self.located = Located([self._names[id(p)] for p in self._moving], norms)
        found: dict[str, Tensor | float] = {f"grad_norm_{self.player}": norm}
        rate = self._rate(optimizer)
        if rate is not None:
            found[f"lr_{self.player}"] = rate
        # Fused optimizers are handed scaled gradients and undo it themselves.
        scale = getattr(optimizer, "grad_scale", None)
        if isinstance(scale, Tensor):
            scale = scale.detach().reshape(())
            found[f"grad_norm_{self.player}"] = norm / scale.to(norm.device)
            found[f"loss_scale_{self.player}"] = scale.clone()
        if self._earlier:
            self._compare(grads, found)
        if traced:
            found[f"momentum_{self.player}"] = _momentum(optimizer)
            self._weights = [thinned(p.detach()).copied() for p in self._moving]
            # Sparse gradients touch other rows at the next step: no space to measure an angle in.
            is_dense = all(p.grad is None or not p.grad.is_sparse for p in self._moving)
            self._earlier = [thinned(grad).copied() for grad in grads] if is_dense else []
            self._earlier_of = [id(p) for p in self._moving]
        return found

    def after(self) -> dict[str, Tensor | float]:
        """The signals that the step made shows; none but after a traced one."""
        if not self._weights:
            return {}
        before, self._weights = self._weights, []
        size = _length(before)
        after = [thinned(p.detach()) for p in self._moving]
        # In place: a third copy of the weights would be too many.
        torch._foreach_sub_([w.values for w in before], [w.values for w in after])
        step = _length(before)
        return {
            f"update_ratio_{self.player}": step / size.clamp_min(_TINY),
            f"weight_norm_{self.player}": size,
        }

    def state_dict(self) -> StateDict:
        """The traced gradient that waits for the next one."""
        return {
            "earlier": [(e.values.clone(), e.every, e.layout) for e in self._earlier],
            "of": [self._names[key] for key in self._earlier_of],
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        ids = {name: key for key, name in self._names.items()}
        self._earlier = [Thinned(v, int(e), tuple(layout)) for v, e, layout in state["earlier"]]
        self._earlier_of = [ids[name] for name in state["of"]]

    def _compare(self, grads: list[Tensor], found: dict[str, Tensor | float]) -> None:
        earlier, self._earlier = self._earlier, []
        sparse = any(p.grad is not None and p.grad.is_sparse for p in self._moving)
        if sparse or self._earlier_of != [id(p) for p in self._moving]:
            return  # layers were frozen or thawed in between: not the same space
        now = [thinned(grad) for grad in grads]
        if any(a.layout != b.layout for a, b in zip(earlier, now, strict=True)):
            return  # the numbers stand in another order in memory
        dots = [
            a.every * torch.dot(_real(a.values), _real(b.values))
            for a, b in zip(earlier, now, strict=True)
        ]
        lengths = _length(earlier) * _length(now)
        cosine = _gathered(dots).sum() / lengths.clamp_min(_TINY)
        # An overflow is told by the norm; a second NaN would accuse the same step twice.
        found[f"grad_cosine_{self.player}"] = torch.nan_to_num(cosine, nan=0.0)

    def _rate(self, optimizer: torch.optim.Optimizer) -> Tensor | float | None:
        for group in optimizer.param_groups:
            if any(id(p) in self._names for p in group["params"]):
                rate = group.get("lr")
                if isinstance(rate, Tensor):
                    return rate.detach().clone().reshape(())
                return None if rate is None else float(rate)
        return None


class Thinned(NamedTuple):
    """Numbers of a tensor in the order of memory, every so many of them."""

    values: Tensor
    every: int
    layout: tuple[int, ...]

    def copied(self) -> "Thinned":
        """The same in memory of their own."""
        return self._replace(values=self.values.clone())


def thinned(tensor: Tensor) -> Thinned:
    """All numbers of a small tensor as it is; of a large one every k-th, k odd, so that rows do not align."""
    every = tensor.numel() // _MOST
    if every < 2:
        return Thinned(tensor, 1, tensor.stride())
    whole = tensor.is_contiguous() or tensor.is_contiguous(memory_format=torch.channels_last)
    flat = tensor.as_strided((tensor.numel(),), (1,)) if whole else tensor.reshape(-1)
    every |= 1
    return Thinned(flat[::every], every, tensor.stride())


def _length(parts: list[Thinned]) -> Float[Tensor, ""]:
    norms = _norms([part.values for part in parts])
    if any(part.every > 1 for part in parts):  # scalars, so that nothing is sent to a device
        gains = [math.sqrt(part.every) for part in parts]
        norms = torch.stack(torch._foreach_mul(norms.unbind(), gains))
    length: Tensor = torch.linalg.vector_norm(norms)
    return length


def norms_of(grads: Sequence[Tensor]) -> Float[Tensor, " n"]:
    """The Euclidean norm of each gradient, sparse ones included, in float32 or better."""
    return _norms([_dense(grad) for grad in grads])


def _norms(tensors: list[Tensor]) -> Float[Tensor, " n"]:
    """The Euclidean norm of each, in float32 or better, on the first one's device."""
    kinds = {t.dtype for t in tensors}
    if len(kinds) > 1:
        wide = (torch.promote_types(t.dtype, torch.float32) for t in tensors)
        norms = torch.linalg.vector_norm
        return _gathered([norms(t, dtype=kind) for t, kind in zip(tensors, wide, strict=True)])
    if kinds <= _LOW_PRECISION:
        return _gathered(list(torch._foreach_norm(tensors, 2, dtype=torch.float32)))
    return _gathered(list(torch._foreach_norm(tensors)))


def _gathered(scalars: list[Tensor]) -> Float[Tensor, " n"]:
    try:
        return torch.stack(scalars).float()
    except RuntimeError:  # a network spread over devices; looking first would cost more
        return torch.stack([s.to(scalars[0].device, torch.float32) for s in scalars])


def _real(tensor: Tensor) -> Tensor:
    """Its numbers in a row, in float32 or better: products of small float16 numbers would be 0."""
    parts = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    flat = parts.flatten()
    return flat.float() if flat.dtype in _LOW_PRECISION else flat


def _dense(grad: Tensor) -> Tensor:
    return grad.coalesce().values() if grad.is_sparse else grad


def _momentum(optimizer: torch.optim.Optimizer) -> float:
    """The first group's momentum, or its first beta; 0 where it has neither."""
    group = optimizer.param_groups[0]
    betas = group.get("betas")
    return float(betas[0] if betas else group.get("momentum") or 0.0)
