"""How a watched run ends: the record says so, in its last row, and who follows it may go home."""

import time
from pathlib import Path
from threading import Thread

import pytest
import torch
from torch import nn

from steadygan import Monitor, watch
from steadygan.record import read
from steadygan.record.importers import RecordLog


class Run:
    """Two layers and a loop that logs, or does not."""

    def __init__(self, path: Path | None, **settings: object) -> None:
        self.g, self.d = nn.Linear(2, 2), nn.Linear(2, 1)
        self.opt_g = torch.optim.SGD(self.g.parameters(), 1e-3)
        self.opt_d = torch.optim.SGD(self.d.parameters(), 1e-3)
        settings = {"budget": None, **settings}
        self.monitor: Monitor = watch(
            self.g,
            self.d,
            self.opt_g,
            self.opt_d,
            real=torch.randn(100, 2),
            latent=torch.randn(64, 2),
            record=path,
            **settings,
        )

    def iterate(self, num: int, *, log: bool = False) -> None:
        for _ in range(num):
            for net, optimizer in ((self.d, self.opt_d), (self.g, self.opt_g)):
                optimizer.zero_grad()
                net(torch.randn(8, 2)).mean().backward()
                optimizer.step()
            if log:
                self.monitor.log(loss_d=0.5)


@pytest.mark.parametrize("log", [False, True])
def test_the_last_row_says_that_it_is_the_last(tmp_path: Path, log: bool) -> None:
    run = Run(tmp_path / "record.jsonl")
    run.iterate(5, log=log)
    run.monitor.close()
    run.monitor.close()
    record = read(tmp_path / "record.jsonl")
    assert record.steps.tolist() == [1, 2, 3, 4, 5]
    assert [(e.step, e.name, e.detail) for e in record.events] == [(5, "finished", {"at": 5})]
    assert run.monitor.diagnosis().steps == 5


def test_an_end_by_an_error_is_told_apart(tmp_path: Path) -> None:
    run = Run(tmp_path / "record.jsonl")
    run.iterate(3)
    run.monitor.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    (event,) = read(tmp_path / "record.jsonl").events
    assert (event.name, event.detail) == ("closed", {"at": 3, "error": "KeyboardInterrupt"})


def test_a_last_step_without_a_row_of_its_own_gets_one(tmp_path: Path) -> None:
    run = Run(tmp_path / "record.jsonl", every=5)
    run.iterate(13)
    run.monitor.close()
    record = read(tmp_path / "record.jsonl")
    assert (record.events[-1].step, record.events[-1].name) == (13, "finished")


def test_a_diagnosis_just_before_the_end_does_not_hide_it(tmp_path: Path) -> None:
    run = Run(tmp_path / "record.jsonl")
    run.iterate(4)
    run.monitor.diagnosis()
    run.monitor.close()
    record = read(tmp_path / "record.jsonl")
    assert record.measured("grad_norm_g")[0].tolist() == [1, 2, 3, 4]
    assert record.events[-1].name == "finished"


def test_a_run_that_never_ran_leaves_an_empty_record(tmp_path: Path) -> None:
    Run(tmp_path / "record.jsonl").monitor.close()
    assert (tmp_path / "record.jsonl").read_text() == ""


def test_a_bad_gradient_in_the_last_step_is_still_named(tmp_path: Path) -> None:
    run = Run(tmp_path / "record.jsonl")
    run.iterate(2)
    with torch.no_grad():
        run.d.weight.fill_(torch.nan)
    run.d(run.g(torch.randn(8, 2))).mean().backward()
    run.opt_g.step()
    run.monitor.close()
    names = {event.name for event in read(tmp_path / "record.jsonl").events}
    assert {"finished", "non_finite_gradient"} <= names


def test_who_follows_sees_the_end(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    log = RecordLog(path, growing=True)
    steps: list[int] = []

    def follow() -> None:
        while not log.ended:
            steps.extend(int(row["step"]) for row in log.rows())
            time.sleep(0.001)

    thread = Thread(target=follow)
    run = Run(path)
    thread.start()
    run.iterate(150)
    assert thread.is_alive()
    run.monitor.close()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert steps == list(range(1, 151))
