"""What an optimizer is about to apply, and what it did: gradients and updates of one player."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from steadygan.probes.layers import Layers
from steadygan.probes.path import Path
from steadygan.probes.thinned import TINY, Thinned, cosine, dense, length, norms, thinned
from steadygan.types import Player, StateDict


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
        grad_norm_g.conv1 and so on                the same of one layer, on traced steps (see ``Layers``)
        update_ratio = ‖w' − w‖ / ‖w‖              on traced steps
        weight_norm  = ‖w‖                         on traced steps
        grad_cosine  = ⟨g, g'⟩ / (‖g‖·‖g'‖)        g' the player's next gradient after a traced step

        path_cosine                                turn from the way since the last traced step (see ``Path``)

    Weights and cosines are of every k-th number of a tensor that holds 2¹⁷ or more, each counted k times,
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
        self._layers = Layers(f"grad_norm_{player}", network)
        self._moving: list[Tensor] = []
        self._weights: list[Thinned] = []
        self._earlier: list[Thinned] = []
        self._earlier_of: list[int] = []
        self._path = Path()

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
        self, optimizer: torch.optim.Optimizer, *, traced: bool = False, iteration: int = 0
    ) -> dict[str, Tensor | float]:
        """The signals that the step about to be made shows.

        Args:
            optimizer: about to step; one that moves the player.
            traced: whether to measure this step's update, and the turn to the next gradient.
            iteration: the training's; of several steps in one the first is compared with the path.
        """
        self._weights = []  # of a step that failed
        self._moving = [
            p
            for group in optimizer.param_groups
            for p in group["params"]
            if p.grad is not None and id(p) in self._names
        ]
        grads = [dense(p.grad) for p in self._moving if p.grad is not None]
        each = norms(grads)
        norm = torch.linalg.vector_norm(each)
        self.located = Located([self._names[id(p)] for p in self._moving], each)
        found: dict[str, Tensor | float] = {f"grad_norm_{self.player}": norm}
        rate = self._rate(optimizer)
        if rate is not None:
            found[f"lr_{self.player}"] = rate
        # Fused optimizers are handed scaled gradients and undo it themselves.
        scale = getattr(optimizer, "grad_scale", None)
        if isinstance(scale, Tensor):
            scale = scale.detach().reshape(())
            each = each / scale.to(each.device)
            found[f"grad_norm_{self.player}"] = norm / scale.to(norm.device)
            found[f"loss_scale_{self.player}"] = scale.clone()
        if self._earlier:
            self._compare(grads, found)
        if traced:
            found[f"momentum_{self.player}"] = _momentum(optimizer)
            found |= self._layers.norms(self.located.names, each)
            self._weights = [thinned(p.detach()).copied() for p in self._moving]
            # Sparse gradients touch other rows at the next step: no space to measure an angle in.
            is_dense = all(p.grad is None or not p.grad.is_sparse for p in self._moving)
            self._earlier = [thinned(grad).copied() for grad in grads] if is_dense else []
            self._earlier_of = [id(p) for p in self._moving]
            self._path.before(self._weights, self._earlier_of, iteration)
        return found

    def after(self) -> dict[str, Tensor | float]:
        """The signals that the step made shows; none but after a traced one."""
        if not self._weights:
            return {}
        before, self._weights = self._weights, []
        size = length(before)
        after = [thinned(p.detach()) for p in self._moving]
        # In place: a third copy of the weights would be too many.
        torch._foreach_sub_([w.values for w in before], [w.values for w in after])
        step = length(before)
        found: dict[str, Tensor | float] = {
            f"update_ratio_{self.player}": step / size.clamp_min(TINY),
            f"weight_norm_{self.player}": size,
        }
        turn = self._path.after(before, after)
        if turn is not None:
            found[f"path_cosine_{self.player}"] = turn
        return found

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
        found[f"grad_cosine_{self.player}"] = cosine(earlier, now)

    def _rate(self, optimizer: torch.optim.Optimizer) -> Tensor | float | None:
        for group in optimizer.param_groups:
            if any(id(p) in self._names for p in group["params"]):
                rate = group.get("lr")
                if isinstance(rate, Tensor):
                    return rate.detach().clone().reshape(())
                return None if rate is None else float(rate)
        return None


def _momentum(optimizer: torch.optim.Optimizer) -> float:
    """The first group's momentum, or its first beta; 0 where it has neither."""
    group = optimizer.param_groups[0]
    betas = group.get("betas")
    return float(betas[0] if betas else group.get("momentum") or 0.0)
