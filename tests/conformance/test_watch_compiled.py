"""Networks inside torch.compile, the real one: as wrappers, in place, in parts, and a compiled step."""

from typing import Any

import pytest
import torch
from conformance.watched import Patient, adams, check_all, make_g, train, update_both, update_d
from torch import Tensor, nn

from steadygan.monitor import Monitor

# The compiler warns of its own doings.
compiling = pytest.mark.filterwarnings("ignore")


class Own(nn.Module):
    """The compiler passes over containers that compile themselves; modules of one's own it takes."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.body(x)
        return answer


def plain() -> Patient:
    """Compilers refuse two passes through a spectral norm in train mode before one backward pass."""
    g = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    d = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    g, d = Own(g), Own(d)
    return Patient(g, d, *adams(g, d), update_both)


def compiled_wrappers(backend: Any) -> Patient:
    patient = plain()
    patient.g = torch.compile(patient.g, backend=backend)
    patient.d = torch.compile(patient.d, backend=backend)
    return patient


def compiled_in_place(backend: Any) -> Patient:
    patient = plain()
    patient.g.compile(backend=backend)
    patient.d.compile(backend=backend)
    return patient


def compiled_inside(backend: Any) -> Patient:
    """Blocks compiled one by one, as large networks are."""
    g = nn.Sequential(torch.compile(make_g(), backend=backend), nn.Identity())
    d = nn.Sequential(nn.Linear(2, 16), torch.compile(nn.Linear(16, 1), backend=backend))
    return Patient(g, d, *adams(g, d), update_both)


@compiling
@pytest.mark.parametrize("wrap", [compiled_wrappers, compiled_in_place, compiled_inside])
def test_compiled_networks_are_watched_and_compiled_no_more_than_without(wrap: Any) -> None:
    def compilations(*, watched: bool) -> int:
        torch.compiler.reset()
        num = 0

        def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Any:
            nonlocal num
            num += 1
            return graph.forward

        train(lambda: wrap(backend), watched=watched)
        return num

    def make() -> Patient:
        torch.compiler.reset()
        return wrap("eager")

    check_all(make)
    assert compilations(watched=True) == compilations(watched=False) > 0


@compiling
@pytest.mark.slow
@pytest.mark.parametrize("wrap", [compiled_wrappers, compiled_in_place])
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_to_the_last(wrap: Any, backend: str) -> None:
    def make() -> Patient:
        torch.compiler.reset()
        return wrap(backend)

    check_all(make)


@compiling
def test_a_compiled_step_is_heard() -> None:
    def make() -> Patient:
        torch.compiler.reset()
        patient = plain()
        step = torch.compile(patient.opt_g.step, backend="eager")

        def iterate(p: Patient, monitor: Monitor | None) -> None:
            update_d(p)
            p.opt_g.zero_grad()
            nn.functional.softplus(-p.d(p.g(torch.randn(16, 4)))).mean().backward()
            step()

        patient.iterate = iterate
        return patient

    check_all(make)
