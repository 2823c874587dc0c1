"""``stabilize`` on a loop that fails, is spoilt, is only watched, is killed: what it does, and what it says of it."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from monitor.rings import TOO_FAST, RingRun, begun
from torch import nn

import steadygan
from steadygan.errors import DataError
from steadygan.monitor import Pilot
from steadygan.record import read
from steadygan.record.checkpoint import load_newest, save_checkpoint
from steadygan.remedies.ledger import read_ledger

NAN = float("nan")


def pilot_of(run: RingRun) -> Pilot:
    assert run.pilot is not None
    return run.pilot


@pytest.fixture(scope="module")
def treated(tmp_path_factory: pytest.TempPathFactory) -> tuple[RingRun, Path]:
    """A ring that collapses, under a pilot that looks every 10 steps; and its folder."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("treated")
    run = begun(TOO_FAST, record=folder / "record.jsonl", probe_every=10).go(500)
    return run, folder


@pytest.fixture(scope="module")
def observed() -> RingRun:
    """The same ring under a pilot that acts on nothing."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # as in the tests: to be compared bit by bit
    return begun(TOO_FAST, autopilot="observe", probe_every=10).go(500)


def test_a_collapsing_ring_is_treated_and_recovers(
    treated: tuple[RingRun, Path], observed: RingRun
) -> None:
    pilot = pilot_of(treated[0])
    entry = pilot.ledger[0]
    assert (entry.finding, entry.severity) == ("mode_collapse", "critical")
    assert pilot.ledger[-1].outcome == "recovered"
    assert entry.actions
    assert entry.cause
    assert entry.trace[0] is not None
    assert entry.trace[1] is not None
    assert entry.trace[1] > entry.trace[0] + 0.2  # dispersion, when the first change had been tried
    assert pilot.diagnosis().verdict == "healthy"
    assert pilot.reason is None
    # Alone it does not.
    assert pilot_of(observed).diagnosis().verdict == "failing"


def test_ledger_record_and_diagnosis_tell_the_same(treated: tuple[RingRun, Path]) -> None:
    run, folder = treated
    pilot = pilot_of(run)
    trees = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    assert read_ledger(trees) == list(pilot.ledger)
    told = json.loads(pilot.diagnosis().to_json())["treatments"]
    assert [t["outcome"] for t in told] == [e.outcome for e in pilot.ledger]
    events = [e for e in pilot.record.events if e.name == "treatment"]
    assert [e.detail["at"] for e in events] == [e.step for e in pilot.ledger]
    assert [e.detail["action"] for e in events] == [e.action for e in pilot.ledger]


def test_advice_is_what_is_in_effect(treated: tuple[RingRun, Path]) -> None:
    pilot = pilot_of(treated[0])
    text = pilot.advice()
    for kind, (penalty, _) in pilot.game.penalty.penalties.items():
        assert f"{kind} with weight {penalty.weight:g}" in text
    assert pilot.game.penalty.penalties
    is_averaged = pilot.generator() is not treated[0].g
    assert ("samples: from an average of the generator" in text) == is_averaged


def test_samples_come_from_the_better_generator(treated: tuple[RingRun, Path]) -> None:
    pilot = pilot_of(treated[0])
    averaged = pilot._understudy.generator
    assert averaged is not None
    assert pilot.generator() in (averaged, treated[0].g)
    kept = [p.clone() for p in averaged.parameters()]
    with torch.no_grad():
        for p in averaged.parameters():
            p.zero_()
    assert pilot.generator() is treated[0].g  # a point is worse than anything
    with torch.no_grad():
        for p, before in zip(averaged.parameters(), kept, strict=True):
            p.copy_(before)
    assert pilot_of(begun().go(3)).generator() is not averaged


def test_what_it_says_outlives_it(treated: tuple[RingRun, Path]) -> None:
    run = begun(TOO_FAST, probe_every=10).go(200)
    pilot = pilot_of(run)
    said = pilot.advice()
    assert "R1" in said
    pilot.close()
    assert pilot.advice() == said
    assert isinstance(pilot.generator(), nn.Module)
    assert not run.d._forward_pre_hooks
    assert not run.opt_d._optimizer_step_pre_hooks
    run.pilot = None
    run.go(203)  # the loop goes on


def test_observing_proposes_and_acts_on_nothing(observed: RingRun) -> None:
    seen = observed
    alone = begun(TOO_FAST, piloted=False).go(500)
    for a, b in zip(seen.numbers(), alone.numbers(), strict=True):
        assert torch.equal(a, b)
    pilot = pilot_of(seen)
    assert [e.outcome for e in pilot.ledger if e.finding == "mode_collapse"] == ["proposed"]
    assert pilot.ledger[0].actions
    assert pilot.advice() == "Nothing to change: no treatment is in effect."
    assert not seen.d._forward_pre_hooks
    assert not pilot.game.guard.is_on


def spoil_batch(run: RingRun) -> None:
    run.x = run.x.clone()
    run.x[3] = NAN


def spoil_gradient(run: RingRun) -> None:
    gradient = next(run.d.parameters()).grad
    assert gradient is not None
    gradient[0] = NAN


def spoil_weight(run: RingRun) -> None:
    with torch.no_grad():
        next(run.g.parameters())[0] = NAN


def spoil_weight_of_d(run: RingRun) -> None:
    with torch.no_grad():
        next(run.d.parameters())[1] = float("inf")


def spoil_moment(run: RingRun) -> None:
    run.opt_d.state[next(run.d.parameters())]["exp_avg_sq"][0] = NAN


def spoil_by_overflow(run: RingRun) -> None:
    gradient = next(run.d.parameters()).grad
    assert gradient is not None
    gradient.fill_(1e30)  # finite, and its square is not


@pytest.mark.parametrize(
    ("spoil", "place", "cause"),
    [
        (spoil_batch, "batch", "batch not finite"),
        (spoil_gradient, "gradient", "gradient not finite at d."),
        (spoil_weight, "batch", "weight g."),
        (spoil_weight_of_d, "step", "weight d."),
        (spoil_moment, "gradient", "exp_avg_sq of discriminator"),
        (spoil_by_overflow, "gradient", "of discriminator is not finite"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_number_that_is_none_is_survived(
    spoil: Callable[[RingRun], None], place: str, cause: str
) -> None:
    at = random.Random(spoil.__name__).randrange(2, 70)
    run = begun()

    def once(run: RingRun, where: str) -> None:
        if run.step == at and where == place:
            spoil(run)

    run.spoil = once
    run.go(90)
    pilot = pilot_of(run)
    assert all(torch.isfinite(t).all() for t in run.numbers())
    assert pilot.game.poisoned() == []
    first = pilot.ledger[0]
    assert first.finding == "non_finite"
    assert at <= first.step <= at + 20
    assert cause in str(first)
    assert pilot.reason is None
    assert len(pilot.ledger) <= 2


def test_batches_that_are_never_finite_are_reported_once_not_treated() -> None:
    run = begun()

    def always(run: RingRun, where: str) -> None:
        if run.step > 10 and where == "batch":
            spoil_batch(run)

    run.spoil = always
    run.go(60)
    ledger = pilot_of(run).ledger
    assert not any(entry.actions for entry in ledger)
    assert sum(entry.outcome.startswith("reported") for entry in ledger) == 1
    assert len(ledger) <= 3
    assert all(torch.isfinite(t).all() for t in run.numbers())


def test_a_spoilt_run_without_a_way_back_gives_up_once_and_says_why() -> None:
    """Weights that are spoilt again at every step."""
    run = begun()

    def always(run: RingRun, where: str) -> None:
        if run.step > 5 and where == "step":
            spoil_weight(run)

    run.spoil = always
    run.go(60)
    pilot = pilot_of(run)
    assert pilot.reason is not None
    assert pilot.reason.startswith("cannot be saved: non_finite; ")
    assert [e.outcome for e in pilot.ledger].count(pilot.reason) == 1
    assert pilot.reason.removeprefix("cannot be saved: ").split("; ")[1] in pilot.advice()


def test_wiring_is_reported_and_left_alone() -> None:
    run = begun()
    for p in run.g.parameters():
        p.requires_grad_(False)
    next(run.g.parameters()).requires_grad_(True)

    def detach(run: RingRun, where: str) -> None:  # G's step applies nothing of what it computed
        if where == "step":
            for group in run.opt_g.param_groups:
                group["lr"] = 0.0

    run.spoil = detach
    run.go(150)
    ledger = pilot_of(run).ledger
    assert not any(entry.actions for entry in ledger)


@pytest.mark.parametrize(("cut", "on_disk"), [(135, False), (201, True)])
def test_a_resumed_treatment_is_that_of_a_run_that_never_stopped(
    treated: tuple[RingRun, Path], tmp_path: Path, cut: int, on_disk: bool
) -> None:
    whole = treated[0]
    record = tmp_path / "run" / "record.jsonl" if on_disk else None
    part = begun(TOO_FAST, record=record, probe_every=10).go(cut)
    said = str(pilot_of(part).ledger)
    if on_disk:
        save_checkpoint(tmp_path / "checkpoints", cut, part.state())
        part.go(cut + 25)  # rows that are lost
        pilot_of(part).close()
        _, state = load_newest(tmp_path / "checkpoints")
    else:
        torch.save(part.state(), tmp_path / "state.pt")
        state = torch.load(tmp_path / "state.pt", weights_only=True)
    again = begun(TOO_FAST, record=record, probe_every=10).load(state)
    assert str(pilot_of(again).ledger) == said
    again.go(500)
    for a, b in zip(again.numbers(), whole.numbers(), strict=True):
        assert torch.equal(a, b)
    assert pilot_of(again).ledger == pilot_of(whole).ledger
    theirs, ours = pilot_of(whole).record, pilot_of(again).record
    for name in ("energy_distance", "fixed_z_drift", "grad_cosine_d", "loss_g"):
        for a, b in zip(ours.measured(name), theirs.measured(name), strict=True):
            assert a.tolist() == b.tolist(), name
    told = [[e.detail for e in r.events if e.name == "treatment"] for r in (ours, theirs)]
    assert told[0] == told[1]


def test_another_runs_record_is_refused(tmp_path: Path) -> None:
    part = begun(record=tmp_path / "a" / "record.jsonl").go(30)
    state = part.state()
    pilot_of(part).close()
    with pytest.raises(DataError, match="must reach to step 30"):
        begun(record=tmp_path / "b" / "record.jsonl").load(state)


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from monitor.rings import TOO_FAST, begun
from steadygan.record.checkpoint import load_newest, save_checkpoint

folder, dies_at = Path(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
torch.set_flush_denormal(True)
run = begun(TOO_FAST, record=folder / "record.jsonl", probe_every=10)
if (folder / "checkpoints").is_dir():
    run.load(load_newest(folder / "checkpoints")[1])
while run.step < 500:
    run.go(run.step + 1)
    if run.step % 10 == 0:
        save_checkpoint(folder / "checkpoints", run.step, run.state())
    if run.step == dies_at:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_in_the_middle_of_a_treatment_it_ends_with_the_same_bits(
    treated: tuple[RingRun, Path], tmp_path: Path
) -> None:
    tests = Path(__file__).parents[1]
    path = os.pathsep.join([str(tests.parent), str(tests)])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}

    def trained(dies_at: int) -> int:
        command = [sys.executable, "-c", KILLED, str(tmp_path), str(dies_at)]
        return subprocess.run(command, env=environment, check=False).returncode

    began = pilot_of(treated[0]).ledger[0].step
    assert trained(began + 17) == -signal.SIGKILL
    assert trained(0) == 0
    _, state = load_newest(tmp_path / "checkpoints")
    for name in ("g", "d"):
        whole = getattr(treated[0], name).state_dict()
        assert all(torch.equal(state[name][key], whole[key]) for key in whole)
    assert read(tmp_path / "record.jsonl").steps.tolist() == list(range(1, 501))
    trees = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert read_ledger(trees) == list(pilot_of(treated[0]).ledger)


def test_the_packages_name_for_it() -> None:
    assert "stabilize" in steadygan.__all__
