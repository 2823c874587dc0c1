"""What goes on around a loop: global modes, interruptions, copies, workers, monitors that come and go."""

import contextlib
import copy
import pickle
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch
from conformance.watched import (
    RINGS,
    STEPS,
    Patient,
    attach,
    check_all,
    check_identity,
    everything,
    make_d,
    make_g,
    standard,
    train,
    update_both,
    update_d,
    update_g,
)
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from steadygan.monitor import Monitor
from steadygan.record import read

Mode = Callable[[], AbstractContextManager[object]]


@contextlib.contextmanager
def double_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize(
    "mode",
    [
        lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        lambda: torch.autocast("cpu", dtype=torch.float16, cache_enabled=False),
        deterministic,
        lambda: torch.autograd.set_detect_anomaly(True),
        lambda: torch.device("cpu"),
    ],
    ids=["bfloat16", "float16", "deterministic", "anomaly", "device"],
)
def test_a_mode_around_all_of_it(mode: Mode) -> None:
    def make() -> Patient:
        patient = standard()
        patient.around = mode
        return patient

    check_all(make)


def test_double_precision_by_default() -> None:
    def make() -> Patient:
        patient = standard()
        patient.g.double(), patient.d.double()
        patient.real, patient.around = RINGS.double(), double_by_default
        patient.forward_d = lambda d, x: d(x.double())

        def iterate(p: Patient, monitor: Monitor | None) -> None:
            x = RINGS[torch.randint(len(RINGS), (16,))].double()
            p.opt_d.zero_grad()
            (p.d(p.g(torch.randn(16, 4)).detach()).mean() - p.d(x).mean()).backward()
            p.opt_d.step()
            update_g(p)

        patient.iterate = iterate
        return patient

    check_all(make)


def test_evaluation_in_between() -> None:
    def make() -> Patient:
        patient = standard()

        def iterate(p: Patient, monitor: Monitor | None) -> None:
            update_both(p, monitor)
            p.g.eval(), p.d.eval()
            with torch.inference_mode():
                score = p.d(p.g(torch.randn(64, 4))).mean()
            p.g.train(), p.d.train()
            if monitor is not None:
                monitor.log(score=score)

        patient.iterate = iterate
        return patient

    monitor = check_identity(make)
    assert len(monitor.record.measured("score")[0]) == STEPS


def test_two_monitors_see_the_same_and_leave_no_trace() -> None:
    alone, _ = train(standard, watched=False)
    torch.manual_seed(0)
    patient = standard()
    with attach(patient) as first, attach(patient, probe_every=3) as second:
        for _ in range(STEPS):
            patient.iterate(patient, None)
        same = {n: v for n, v in everything(patient) if n not in ("numpy", "torch")}
    assert same == {n: v for n, v in alone[-1].items() if n in same}
    norms = [m.record["grad_norm_g"].tolist() for m in (first, second)]
    assert norms[0] == norms[1]


@pytest.mark.parametrize("begun", [update_d, update_g, update_both], ids=lambda f: f.__name__)
def test_attached_in_the_middle_of_a_run(begun: Callable[..., object]) -> None:
    patient = standard()
    begun(patient, None) if begun is update_both else begun(patient)
    with attach(patient) as monitor:
        if begun is update_d:
            update_g(patient)
        for _ in range(STEPS):
            update_both(patient, monitor)
            monitor.log(mark=1.0)
    expected = STEPS + (begun is update_d)
    assert monitor.step == expected
    assert monitor.record.steps.tolist() == list(range(1, expected + 1))


def test_closed_and_attached_again(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    patient = standard()
    for _ in range(3):
        with attach(patient, record=path) as monitor:
            for _ in range(5):
                update_both(patient, monitor)
        update_both(patient, None)  # nobody looks
    assert read(path).steps.tolist() == list(range(1, 16))
    assert monitor.diagnosis().steps == 15


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_of_the_loop_goes_through(error: type[BaseException]) -> None:
    patient = standard()
    monitor = attach(patient)

    def loop() -> None:
        with monitor:
            update_both(patient, monitor)
            update_d(patient)
            raise error("mine")

    with pytest.raises(error, match="mine"):
        loop()
    assert monitor.step == 2, "the iteration under way counts"
    assert not patient.opt_g._optimizer_step_pre_hooks
    update_both(patient, None)


def test_an_interrupt_in_a_probe_leaves_no_trace() -> None:
    """Ctrl-C may come while the networks run for the monitor."""
    patient = standard()
    interrupting = False

    def forward_d(d: nn.Module, x: Tensor) -> Tensor:
        answer: Tensor = d(x)
        if interrupting:
            raise KeyboardInterrupt
        return answer

    patient.forward_d = forward_d
    with attach(patient, probe_every=1) as monitor:
        update_both(patient, monitor)
        update_d(patient)
        patient.opt_g.zero_grad()
        patient.d(patient.g(torch.randn(16, 4))).mean().backward()
        before = dict(everything(patient))
        interrupting = True
        with pytest.raises(KeyboardInterrupt):
            patient.opt_g.step()
        interrupting = False
        after = dict(everything(patient))
        changed = {name for name in before if before[name] != after[name]}
        moved = {f"g.{name}" for name, _ in patient.g.named_parameters()}
        assert changed <= moved | {f"{name} writes" for name in moved} | {"opt_g"}
        update_both(patient, monitor)
    assert torch.is_grad_enabled()


def test_copies_are_not_watched() -> None:
    patient = standard()
    with attach(patient) as monitor:
        update_both(patient, monitor)
        g = copy.deepcopy(patient.g)
        opt_g = pickle.loads(pickle.dumps(patient.opt_g))
        assert not opt_g._optimizer_step_pre_hooks
        copied = pickle.loads(pickle.dumps(patient.g))
        for other in (g, copied):
            assert all(
                map(torch.equal, other.state_dict().values(), patient.g.state_dict().values())
            )
        opt_g.step()
        torch.optim.SGD(g.parameters(), 0.1).step()
    assert monitor.step == 1


def test_loader_workers_know_nothing_of_it() -> None:
    def make() -> Patient:
        patient = standard()
        loader = DataLoader(TensorDataset(RINGS[:96]), 16, shuffle=True, num_workers=2)
        batches = iter([batch for epoch in range(2) for (batch,) in loader])

        def iterate(p: Patient, monitor: Monitor | None) -> None:
            p.opt_d.zero_grad()
            (p.d(p.g(torch.randn(16, 4)).detach()).mean() - p.d(next(batches)).mean()).backward()
            p.opt_d.step()
            update_g(p)

        patient.iterate = iterate
        return patient

    check_all(make)


def test_workers_started_while_it_watches() -> None:
    patient = standard()
    with attach(patient) as monitor:
        for (x,) in DataLoader(TensorDataset(RINGS[:96]), 16, num_workers=2):
            assert x.shape == (16, 2)
            update_both(patient, monitor)
    assert monitor.record.steps.tolist() == [1, 2, 3, 4, 5, 6]


def test_networks_on_other_devices_are_given_their_inputs_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a second device here: every input passes through ``to`` with the network's own."""
    asked: list[object] = []
    move = Tensor.to

    def noted(self: Tensor, *args: object, **kwargs: object) -> Tensor:
        asked.extend(a.device if isinstance(a, Tensor) else a for a in args)
        return move(self, *args, **kwargs)

    g, d = make_g(), make_d()
    patient = Patient(g, d, *(torch.optim.SGD(n.parameters(), 0.1) for n in (g, d)), update_both)
    monkeypatch.setattr(Tensor, "to", noted)
    with attach(patient) as monitor:
        assert asked.count(torch.device("cpu")) >= 5
        update_both(patient, monitor)
    assert "auc" in monitor.record
