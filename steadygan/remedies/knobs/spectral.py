"""Spectral normalisation of D switched on in the middle of a training, and off again."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized
from torch.utils.hooks import RemovableHandle

from steadygan.errors import ActionError
from steadygan.remedies.doorway import Local
from steadygan.remedies.knob import Knob
from steadygan.remedies.step import Step
from steadygan.types import StateDict

_TURNED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TURNED)
_FIRST_ITERATIONS = 30
_TINY = 1e-12


@dataclass
class _Layer:
    module: nn.Module
    u: Tensor
    v: Tensor
    first: Tensor  # its norm when it was switched on

    def matrix(self, weight: Tensor) -> Tensor:
        turned = weight.transpose(0, 1) if isinstance(self.module, _TURNED) else weight
        return turned.flatten(1)

    def sigma(self, weight: Tensor) -> Tensor:
        return torch.dot(self.u, torch.mv(self.matrix(weight), self.v))

    @torch.no_grad()
    def iterate(self, times: int) -> None:
        w = self.matrix(_weight(self.module))
        for _ in range(times):
            self.u.copy_(nn.functional.normalize(torch.mv(w, self.v), dim=0, eps=_TINY))
            self.v.copy_(nn.functional.normalize(torch.mv(w.t(), self.u), dim=0, eps=_TINY))


class Spectral(Knob):
    """Each weight matrix W acts as (a_t / σ(W))·W, with a_t beginning at the σ it has at that moment.

    a_t = σ₀^(1−s) · min(σ₀, limit)^s,   s = min(1, t / ramp),  t D's steps since the start

    So D is the same function right after the switch, and its layers come down to ``limit`` one step at a
    time. Parameters keep their names, their identity and their optimizer: the normalised weight stands in
    only while its layer runs. σ = uᵀWv with one power iteration after each of D's steps; passes write
    nothing. Switched off, W takes the value that was in effect.

    Args:
        network: D, inside of its wrappers.
        is_compiled: whether its passes are compiled, where hooks of layers are not heard.
    """

    def __init__(self, network: nn.Module, *, is_compiled: bool) -> None:
        self._network, self._is_compiled = network, is_compiled
        self._layers: dict[str, _Layer] = {}
        self._handles: list[RemovableHandle] = []
        self._raw: dict[int, list[Tensor]] = {}
        self.limit, self.ramp, self.elapsed = 1.0, 1, 0

    @property
    def is_on(self) -> bool:
        """Whether the weights are normalised."""
        return bool(self._layers)

    def switch_on(self, limit: float, ramp: int) -> None:
        """Normalise from the next pass on.

        Raises:
            ActionError: without layers that can be normalised and are not, or in compiled passes.
        """
        if not 0 < limit < math.inf or ramp < 1:
            raise ActionError(
                f"spectral norm needs limit > 0 and ramp >= 1 step, got {limit} and {ramp}; 1 and 100 are usual."
            )
        if self._is_compiled:
            raise ActionError(
                "spectral norm cannot be switched on in a compiled discriminator, whose layers' hooks are not "
                "heard; treat another way."
            )
        if not self.is_on:
            names = [n for n, m in self._network.named_modules() if _is_normalisable(m)]
            if not names:
                raise ActionError(
                    "spectral norm needs a linear or convolutional layer that is not reparametrised yet, got "
                    "none in the discriminator; treat another way."
                )
            self._layers = {name: self._fresh(name) for name in names}
            self.elapsed = 0
            self._hook()
        self.limit, self.ramp = float(limit), ramp

    @torch.no_grad()
    def switch_off(self) -> None:
        """Write the weights that are in effect, and normalise no longer."""
        # By weight: layers may share one.
        layers = {id(_weight(layer.module)): layer for layer in self._layers.values()}
        for layer in layers.values():
            weight = _weight(layer.module)
            weight.copy_(self._effective(layer, weight))
        self.forget()

    def forget(self) -> None:
        """Off, with the bare weights as they are."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._layers.clear()
        self._raw.clear()

    def after(self, step: Step) -> None:
        """Follow the weights."""
        if step.moves("d"):
            self.elapsed += 1
            for layer in self._layers.values():
                layer.iterate(1)

    def close(self) -> None:
        """Off."""
        self.switch_off()

    def state_dict(self) -> StateDict:
        """Setting, age, and each layer's vectors."""
        return {
            "limit": self.limit,
            "ramp": self.ramp,
            "elapsed": self.elapsed,
            "layers": {
                name: {"u": layer.u, "v": layer.v, "first": layer.first}
                for name, layer in self._layers.items()
            },
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``; the bare weights are left as they are."""
        self.forget()
        self.limit, self.ramp = float(state["limit"]), int(state["ramp"])
        self.elapsed = int(state["elapsed"])
        for name, saved in state["layers"].items():
            module = self._network.get_submodule(name)
            like = _weight(module)
            u, v, first = (saved[key].detach().clone().to(like) for key in ("u", "v", "first"))
            self._layers[name] = _Layer(module, u, v, first)
        if self._layers:
            self._hook()

    def _fresh(self, name: str) -> _Layer:
        module = self._network.get_submodule(name)
        weight = _weight(module)
        draws = torch.Generator().manual_seed(0)
        layer = _Layer(module, weight.new_empty(0), weight.new_empty(0), weight.new_empty(()))
        rows, columns = layer.matrix(weight).shape
        layer.u, layer.v = (
            nn.functional.normalize(torch.randn(n, generator=draws), dim=0).to(weight)
            for n in (rows, columns)
        )
        layer.iterate(_FIRST_ITERATIONS)
        with torch.no_grad():
            layer.first = layer.sigma(weight).clone()
        return layer

    def _effective(self, layer: _Layer, weight: Tensor) -> Tensor:
        progress = min(1.0, self.elapsed / self.ramp)
        aim = layer.first
        if progress > 0:
            aim = aim ** (1 - progress) * aim.clamp(max=self.limit) ** progress
        return weight * (aim / layer.sigma(weight))

    def _hook(self) -> None:
        by_module = {id(layer.module): layer for layer in self._layers.values()}

        def enter(module: nn.Module, args: tuple[Any, ...]) -> None:
            weight = _weight(module)
            self._raw.setdefault(id(module), []).append(weight)
            effective: Any = self._effective(by_module[id(module)], weight)
            module._parameters["weight"] = effective

        def leave(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            raw: Any = self._raw[id(module)].pop()
            module._parameters["weight"] = raw

        for layer in self._layers.values():
            self._handles += [
                layer.module.register_forward_pre_hook(Local(enter)),
                layer.module.register_forward_hook(Local(leave), always_call=True),
            ]


def _weight(module: nn.Module) -> Tensor:
    weight = module._parameters["weight"]
    assert weight is not None
    return weight


def _is_normalisable(module: nn.Module) -> bool:
    # Norms of the older kind keep the weight in another parameter.
    weight = module._parameters.get("weight") if isinstance(module, _WEIGHTED) else None
    return weight is not None and not is_parametrized(module, "weight")
