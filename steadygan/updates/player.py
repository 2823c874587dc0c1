"""One player's optimizer with what surrounds its step: schedule, clipping, and the guard against non-finite values."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.loss_scale import LossScale
from steadygan.types import Gradient, StateDict
from steadygan.updates.rates import RateSchedule


class PlayerOptimizer:
    """A ``torch.optim`` optimizer, its learning-rate schedule and its clipping.

    Args:
        optimizer: over exactly the player's trainable parameters; its own rates are the schedule's factor 1.
        schedule: step -> factor on the rates; None: constant.
        clip_norm: rescale the gradient to at most this Euclidean norm over all parameters, > 0.
        clip_value: clamp each gradient element to ± this, > 0; applied before ``clip_norm`` is measured.

    Attributes:
        ahead: factor on the rates in previews; whoever scales the rates of real steps from outside sets it alike.

    Raises:
        ConfigError: for limits that are not positive.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        schedule: RateSchedule | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if limit is not None and not 0 < limit < float("inf"):
                raise ConfigError(
                    f"{name} must be > 0 and finite, got {limit}; leave it out to clip nothing."
                )
        self.optimizer = optimizer
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.ahead = 1.0
        self._first_bad: Tensor | None = None
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", float(group["lr"]))

    @property
    def rate(self) -> float:
        """The learning rate of the first parameter group, as last used."""
        return float(self.optimizer.param_groups[0]["lr"])

    def apply(
        self,
        parameters: Sequence[torch.nn.Parameter],
        gradient: Gradient,
        step: int,
        *,
        scale: LossScale | None = None,
    ) -> bool:
        """Step the optimizer with this gradient; False, and nothing moved, where the gradient is not finite.

        On an accelerator with a fused optimizer the decision is taken on the device, without waiting for it:
        the step is void there and ``settle`` reports it later.
        """
        if self._decides_on_device(gradient) and scale is None:
            self._remember_bad(gradient, step)
        elif not bool(gradient.finite):
            return scale is not None and scale.forgives(False)
        elif scale is not None:
            scale.forgives(True)
        self.schedule_at(step)
        self._clip(gradient)
        for parameter, grad in zip(parameters, gradient.grads, strict=True):
            parameter.grad = grad
        self.optimizer.step()
        return True

    def schedule_at(self, step: int) -> None:
        """Set the rates of this step."""
        if self.schedule is not None:
            factor = self.schedule(step)
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor

    def preview(
        self, parameters: Sequence[torch.nn.Parameter], grads: Sequence[Tensor | None]
    ) -> None:
        """Move the parameters as ``apply`` would, but leave the optimizer as it was; the caller moves them back.

        The optimizer's hooks are not called: who counts steps through them counts those that stay.
        """
        optimizer, kept = self.optimizer, self.optimizer.state
        optimizer.state = defaultdict(
            dict, {p: {k: _copied(v) for k, v in slots.items()} for p, slots in kept.items()}
        )
        for name in ("found_inf", "grad_scale"):  # of the last real step
            optimizer.__dict__.pop(name, None)
        self._clip_all(grads)
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad
        step = type(optimizer).step
        rates = [group["lr"] for group in optimizer.param_groups]
        if self.ahead != 1.0:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * self.ahead
        try:
            getattr(step, "__wrapped__", step)(optimizer)
        finally:
            optimizer.state = kept
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate
            for parameter in parameters:
                parameter.grad = None

    def settle(self) -> int | None:
        """The first step since the last call whose gradient was not finite and was void; None if all were."""
        if self._first_bad is None:
            return None
        first = float(self._first_bad)
        self._first_bad = None
        return None if first == float("inf") else int(first)

    def state_dict(self) -> StateDict:
        """The optimizer's state; schedule and clipping are settings, not state."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.optimizer.load_state_dict(state)

    def _clip_all(self, grads: Sequence[Tensor | None]) -> None:
        if self.clip_norm is None and self.clip_value is None:
            return
        present = [g for g in grads if g is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(present)))
        self._clip(Gradient(grads, {}, norm, torch.isfinite(norm)))

    def _clip(self, gradient: Gradient) -> None:
        grads = [g for g in gradient.grads if g is not None]
        norm = gradient.norm
        if self.clip_value is not None:
            torch._foreach_clamp_min_(grads, -self.clip_value)
            torch._foreach_clamp_max_(grads, self.clip_value)
            norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
        if self.clip_norm is not None:
            torch._foreach_mul_(grads, (self.clip_norm / (norm + 1e-12)).clamp(max=1.0))

    def _decides_on_device(self, gradient: Gradient) -> bool:
        fused = all(group.get("fused") for group in self.optimizer.param_groups)
        return bool(fused) and gradient.finite.device.type != "cpu"

    def _remember_bad(self, gradient: Gradient, step: int) -> None:
        never = torch.full_like(gradient.norm, float("inf"))
        bad = torch.where(gradient.finite, never, torch.full_like(never, float(step)))
        self._first_bad = bad if self._first_bad is None else torch.minimum(self._first_bad, bad)
        # torch's fused optimizers leave weights and moments alone where found_inf is 1: the AMP mechanism.
        self.optimizer.found_inf = (~gradient.finite).float()  # type: ignore[attr-defined]  # set by GradScaler, not declared
        self.optimizer.grad_scale = None  # type: ignore[attr-defined]  # set by GradScaler, not declared


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
