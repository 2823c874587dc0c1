"""What the tests of a pilot share: a small ring, a loop with a place to spoil it, and its checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import steadygan
from steadygan.data.synthetic import Ring
from steadygan.monitor import Pilot
from steadygan.networks import mlp

PROBE_EVERY = 20
TOO_FAST = 2e-2  # without a penalty the ring collapses


@dataclass
class RingRun:
    """A user's loop; ``spoil(run, place)`` is called with "batch", "gradient" or "step" before each."""

    g: nn.Module
    d: nn.Module
    opt_g: torch.optim.Optimizer
    opt_d: torch.optim.Optimizer
    reals: Tensor
    pilot: Pilot | None
    step: int = 0
    x: Tensor = field(default_factory=lambda: torch.empty(0))
    spoil: Callable[["RingRun", str], None] = lambda run, place: None

    def go(self, until: int) -> "RingRun":
        while self.step < until:
            self.step += 1
            self.x = self.reals[torch.randint(len(self.reals), (64,))]
            self.spoil(self, "batch")
            fake = self.g(torch.randn(64, 16)).detach()
            loss_d = F.softplus(-self.d(self.x)).mean() + F.softplus(self.d(fake)).mean()
            self.opt_d.zero_grad()
            loss_d.backward()
            self.spoil(self, "gradient")
            self.opt_d.step()
            loss_g = F.softplus(-self.d(self.g(torch.randn(64, 16)))).mean()
            self.opt_g.zero_grad()
            loss_g.backward()
            self.opt_g.step()
            self.spoil(self, "step")
            if self.pilot is not None:
                self.pilot.log(loss_d=loss_d, loss_g=loss_g)
        return self

    def state(self) -> dict[str, Any]:
        """A user's checkpoint."""
        return {
            "step": self.step,
            "g": self.g.state_dict(),
            "d": self.d.state_dict(),
            "opt_g": self.opt_g.state_dict(),
            "opt_d": self.opt_d.state_dict(),
            "random": torch.get_rng_state(),
            "pilot": None if self.pilot is None else self.pilot.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> "RingRun":
        self.step = int(state["step"])
        for name in ("g", "d", "opt_g", "opt_d"):
            getattr(self, name).load_state_dict(state[name])
        if self.pilot is not None:
            self.pilot.load_state_dict(state["pilot"])
        torch.set_rng_state(state["random"])
        return self

    def numbers(self) -> list[Tensor]:
        """All weights, buffers and optimizer states."""
        networks = [t for n in (self.g, self.d) for t in n.state_dict().values()]
        states = [s for o in (self.opt_g, self.opt_d) for s in o.state.values()]
        return networks + [v for s in states for v in s.values() if isinstance(v, Tensor)]


def begun(
    lr: float = 1e-3, *, record: Path | None = None, piloted: bool = True, **settings: Any
) -> RingRun:
    torch.manual_seed(0)
    g, d = mlp(16, 2, width=32)
    reals, _ = Ring().draw(0, 2048, seed=0)
    opt_g, opt_d = (torch.optim.Adam(n.parameters(), lr, betas=(0.5, 0.99)) for n in (g, d))
    latents = torch.randn(256, 16)
    pilot = None
    if piloted:
        settings = {"budget": None, "probe_every": PROBE_EVERY, "record": record, **settings}
        pilot = steadygan.stabilize(g, d, opt_g, opt_d, real=reals, latent=latents, **settings)
    return RingRun(g, d, opt_g, opt_d, reals, pilot)
