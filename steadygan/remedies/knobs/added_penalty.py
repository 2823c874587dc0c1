"""Gradient penalties added to D's gradients just before its optimizer steps."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from steadygan.errors import ActionError
from steadygan.penalties import R1, R2, Penalty
from steadygan.probes.foreign import Discriminator, Generator
from steadygan.probes.randomness import restored_randomness
from steadygan.probes.untouched import run_untouched, untouched
from steadygan.remedies.bank import Bank
from steadygan.remedies.knob import Knob
from steadygan.remedies.step import Step
from steadygan.types import Judged, StateDict

_SPAN = 30.0
_KINDS: dict[str, type[Penalty]] = {"R1": R1, "R2": R2}


class AddedPenalty(Knob):
    """At every k-th of D's steps, ∇_w [weight · k · mean(penalty)] is added to what the loop's loss gave.

    Samples come from what the treatment was given, drawn with random numbers of its own: reals, and for R2
    samples of G at its latents. D and G are run without a trace: no batch-norm statistics, no power
    iteration, no dropout mask of the training is touched, and after the step every ``.grad`` is the loop's
    own. Under a GradScaler the addition is scaled as the rest is. Of several processes each adds the mean
    over all. A penalty whose gradient is not finite is left out and counted.

    With a ramp a penalty comes in step by step from where its weight was. All at once on a D that has become steep it
    is many times the loss's gradient: Adam's second moments take it up, the loss moves D no more, and G runs away.

    Args:
        d, g: as probes call them.
        real, latent: where samples come from.
    """

    def __init__(self, d: Discriminator, g: Generator, real: Bank, latent: Bank) -> None:
        self._d, self._g, self._real, self._latent = d, g, real, latent
        self._is_recognised = False
        self.penalties: dict[str, tuple[Penalty, int]] = {}
        self.references: dict[str, float] = {}
        self._ramps: dict[str, tuple[float, int, int]] = {}  # weight before, D's step then, length
        self.elapsed = 0
        self.num_refused = 0

    @property
    def is_on(self) -> bool:
        """Whether any penalty has weight."""
        return bool(self.penalties)

    def weight(self, kind: str) -> float:
        """The weight of a penalty now."""
        return self.penalties[kind][0].weight if kind in self.penalties else 0.0

    def set(
        self,
        kind: str,
        weight: float,
        *,
        every: int = 16,
        relative: bool = False,
        batch: int = 64,
        ramp: int = 0,
    ) -> None:
        """Add a penalty from D's next step on, change it, or with weight 0 end it.

        Raises:
            ActionError: for another kind, a weight beyond 30 times or below 1/30 of the first one, or a D
                that cannot be differentiated twice.
        """
        if kind not in _KINDS:
            raise ActionError(
                f"an added penalty must be one of {', '.join(_KINDS)}, got {kind!r}; choose one."
            )
        first = self.references.get(kind, weight)
        if not 0 <= weight < math.inf or (weight and not first / _SPAN <= weight <= first * _SPAN):
            raise ActionError(
                f"the weight of {kind} must be 0 or within 30 times of its first, {first}, got {weight}; "
                "go in smaller steps."
            )
        if every < 1 or batch < 1 or ramp < 0:
            raise ActionError(
                f"{kind} needs every >= 1, batch >= 1 and ramp >= 0, got {every}, {batch} and {ramp}; "
                "use weight=0 to switch it off."
            )
        if weight == 0:
            self.penalties.pop(kind, None)
            self._ramps.pop(kind, None)
            return
        penalty = _KINDS[kind](weight=float(weight), every=every, relative=relative)
        self._try(penalty, batch)
        self.references.setdefault(kind, weight)
        self._ramps[kind] = self._strength(kind), self.elapsed, ramp
        self.penalties[kind] = penalty, batch

    def before(self, step: Step) -> None:
        """Add what is due."""
        if not step.moves("d"):
            return
        for kind, (penalty, batch) in self.penalties.items():
            if penalty.is_due(self.elapsed) and (strength := self._strength(kind)):
                self._add(step, replace(penalty, weight=strength), batch)

    def after(self, step: Step) -> None:
        """Count D's steps."""
        if step.moving("d"):
            self.elapsed += 1

    def close(self) -> None:
        """No penalty."""
        self.penalties.clear()
        self._ramps.clear()

    def state_dict(self) -> StateDict:
        """Settings and age."""
        return {
            "penalties": {
                kind: {
                    "weight": penalty.weight,
                    "every": penalty.every,
                    "relative": penalty.relative,
                    "batch": batch,
                }
                for kind, (penalty, batch) in self.penalties.items()
            },
            "references": dict(self.references),
            "ramps": {kind: list(ramp) for kind, ramp in self._ramps.items()},
            "elapsed": self.elapsed,
            "refused": self.num_refused,
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.penalties = {
            kind: (
                _KINDS[kind](
                    weight=float(s["weight"]), every=int(s["every"]), relative=bool(s["relative"])
                ),
                int(s["batch"]),
            )
            for kind, s in state["penalties"].items()
        }
        self.references = dict(state["references"])
        self._ramps = {
            kind: (float(w), int(at), int(k)) for kind, (w, at, k) in state["ramps"].items()
        }
        self.elapsed, self.num_refused = int(state["elapsed"]), int(state["refused"])

    def _strength(self, kind: str) -> float:
        """The weight at this step, on the way to that which was set."""
        before, since, ramp = self._ramps.get(kind, (0.0, 0, 0))
        share = min(1.0, (self.elapsed - since) / ramp) if ramp else 1.0
        return before + share * (self.weight(kind) - before)

    def _add(self, step: Step, penalty: Penalty, batch: int) -> None:
        inside = {id(p) for p in self._d.parameters()}
        moving = [p for p in step.moving("d") if id(p) in inside]
        grads = self._gradients(penalty, batch, moving)
        if step.loss_scale is not None:
            grads = [g if g is None else g * step.loss_scale.to(g.device, g.dtype) for g in grads]
        found = {id(p): g for p, g in zip(moving, grads, strict=True) if g is not None}
        norm = torch.stack([g.float().norm() for g in found.values()]).sum() if found else None
        if norm is None or not math.isfinite(float(norm)):
            self.num_refused += 1
            return
        step.exchange(
            "d",
            [
                grad + found[id(p)].to(grad.dtype)
                if id(p) in found and not grad.is_sparse
                else grad
                for p, grad in zip(step.moving("d"), step.grads("d"), strict=True)
            ],
        )

    def _gradients(
        self, penalty: Penalty, batch: int, parameters: Sequence[Tensor] | None
    ) -> list[Tensor | None]:
        """∇ [weight · every · mean(penalty)] in D's parameters; None: in copies of all, for trial."""
        real = tuple(x.to(self._d.device) for x in self._real.draw(batch, self.elapsed))
        inputs = real if "real" in penalty.input_grad else self._fakes(batch, real)
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            restored_randomness(self._d.device, seed=self.elapsed),
            untouched(self._d, weights=parameters is None),
        ):
            if parameters is None:  # between steps the loop may have D frozen
                parameters = [copy.requires_grad_() for copy in self._d.parameters()]
            x = inputs[0].detach().clone().requires_grad_()
            logits = self._d(x, *inputs[1:])
            judged = Judged(x, logits)
            term = penalty(_no_critic, judged, judged).mean() * (penalty.weight * penalty.every)
            grads: list[Tensor | None] = list(
                torch.autograd.grad(term, list(parameters), allow_unused=True)
            )
        return _averaged(grads)

    def _fakes(self, batch: int, real: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        z, *own = (part.to(self._g.device) for part in self._latent.draw(batch, self.elapsed))
        self._g.labels = tuple(own)
        fakes = run_untouched(self._g, z)
        return (fakes.to(real[0]), *(own if len(real) > 1 else ()))

    def _try(self, penalty: Penalty, batch: int) -> None:
        """Refuse now what would fail in the middle of a training."""
        if not self._is_recognised:
            self._d.recognise(*(x.to(self._d.device) for x in self._real.draw(2, 0)))
            self._is_recognised = True
        try:
            self._gradients(penalty, min(batch, 4), None)
        except ActionError:
            raise
        except Exception as error:  # the networks are not ours, and neither are their errors
            raise ActionError(
                f"{type(penalty).__name__} needs a discriminator that can be differentiated twice, got "
                f"{type(error).__name__}: {str(error).partition(chr(10))[0]}; treat another way."
            ) from error


def _no_critic(*args: Any) -> Tensor:
    raise AssertionError("R1 and R2 look at no other points")


def _averaged(grads: list[Tensor | None]) -> list[Tensor | None]:
    """Their mean over processes: their players must stay the same."""
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return grads
    num = distributed.get_world_size()
    for grad in grads:
        if grad is not None and num > 1:
            distributed.all_reduce(grad)
            grad /= num
    return grads
