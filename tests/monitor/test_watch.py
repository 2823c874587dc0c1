"""``watch`` from the user's side: rows, findings, files, and what it says when something is wrong."""

import gc
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from steadygan import Monitor, watch
from steadygan.doctor import examine
from steadygan.errors import CheckpointError, ConfigError, ContractError, DataError
from steadygan.record import read

REAL = torch.randn(600, 2, generator=torch.Generator().manual_seed(1))


class Loop:
    """A plain loop on a Gaussian in the plane."""

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.g = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
        self.d = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
        self.opt_g = torch.optim.Adam(self.g.parameters(), 1e-3)
        self.opt_d = torch.optim.Adam(self.d.parameters(), 1e-3)

    def watch(self, **settings: object) -> Monitor:
        settings = {"budget": None, "latent": lambda n: torch.randn(n, 4), **settings}
        return watch(self.g, self.d, self.opt_g, self.opt_d, real=REAL, **settings)

    def step(self) -> tuple[Tensor, Tensor]:
        x, fake = REAL[torch.randint(len(REAL), (16,))], self.g(torch.randn(16, 4))
        self.opt_d.zero_grad()
        loss_d = F.softplus(-self.d(x)).mean() + F.softplus(self.d(fake.detach())).mean()
        loss_d.backward()
        self.opt_d.step()
        self.opt_g.zero_grad()
        loss_g = F.softplus(-self.d(fake)).mean()
        loss_g.backward()
        self.opt_g.step()
        return loss_d, loss_g


def test_rows_hold_what_the_loop_did() -> None:
    loop = Loop()
    norms, losses = [], []
    with loop.watch(probe_every=5) as monitor:
        for _ in range(12):
            loss_d, loss_g = loop.step()
            monitor.log(loss_d=loss_d, loss_g=loss_g, epoch=1)
            losses.append(loss_d.item())
            norms.append(math.sqrt(sum(float(p.grad.norm() ** 2) for p in loop.g.parameters())))
    record = monitor.record
    assert record.steps.tolist() == list(range(1, 13))
    assert record["loss_d"].tolist() == pytest.approx(losses, rel=1e-6)
    assert record["grad_norm_g"].tolist() == pytest.approx(norms, rel=1e-5)
    assert record["epoch"].tolist() == [1.0] * 12
    assert record.measured("coverage")[0].tolist() == [1, 5, 10]
    assert record.measured("update_ratio_d")[0].tolist() == [1, 10]
    assert record.measured("grad_cosine_d")[0].tolist() == [2, 11]
    assert record.measured("step_s")[0].tolist() == list(range(2, 13))


def test_a_loss_that_is_added_up_in_place_is_recorded_as_it_was() -> None:
    loop = Loop()
    total = torch.zeros(())
    with loop.watch() as monitor:
        for _ in range(3):
            loop.step()
            total += 1
            monitor.log(total=total, one_element=total.view(1, 1))
    assert monitor.record["total"].tolist() == [1, 2, 3]
    assert monitor.record["one_element"].tolist() == [1, 2, 3]


def test_logging_now_and_then_does_not_slow_the_count() -> None:
    loop = Loop()
    with loop.watch() as monitor:
        for step in range(1, 11):
            loop.step()
            if step % 4 == 0:
                monitor.log(now_and_then=step)
    record = monitor.record
    assert record.steps.tolist() == list(range(1, 11))
    assert [v.tolist() for v in record.measured("now_and_then")] == [[4, 8], [4, 8]]


def test_without_any_optimizer_step_logging_counts() -> None:
    loop = Loop()
    with loop.watch() as monitor:
        for value in range(4):
            monitor.log(loss_g=value)
    assert monitor.record["loss_g"].tolist() == [0, 1, 2, 3]


def test_a_diagnosis_in_between_loses_nothing() -> None:
    loop = Loop()
    with loop.watch() as monitor:
        for step in range(1, 6):
            loop.step()
            assert monitor.diagnosis().steps == step
            monitor.log(late=step)
    # The fifth row was written before the end, which then has one of its own.
    assert monitor.record.measured("grad_norm_g")[0].tolist() == [1, 2, 3, 4, 5]
    assert monitor.record.measured("late")[1].tolist() == [1, 2, 3, 4]


def test_every_third_row() -> None:
    loop = Loop()
    with loop.watch(every=3, probe_every=6) as monitor:
        for _ in range(13):
            loop.step()
    steps = monitor.record.steps.tolist()
    # Traces come at 10, and the cosine with the next gradient right after one.
    # The last one has a row because it tells that it is the last.
    assert steps == [1, 2, 3, 6, 9, 10, 11, 12, 13]


def test_nothing_is_moved_before_a_flush_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop()
    # Adam asks for its own step count on a CPU; plain descent asks for nothing.
    loop.opt_g = torch.optim.SGD(loop.g.parameters(), 1e-2)
    loop.opt_d = torch.optim.SGD(loop.d.parameters(), 1e-2)
    with loop.watch(probe_every=7) as monitor, monkeypatch.context() as patched:
        for name in ("item", "tolist", "__float__", "__bool__"):
            patched.setattr(Tensor, name, _waits)
        for _ in range(60):
            loss_d, _ = loop.step()
            monitor.log(loss_d=loss_d)
    assert len(monitor.record) == 60


def _waits(self: Tensor) -> None:
    raise AssertionError("this waits for the device")


def test_collapse_is_diagnosed_live_as_in_the_replay(tmp_path: Path) -> None:
    loop = Loop()
    with loop.watch(probe_every=5, record=tmp_path / "record.jsonl") as monitor:
        for step in range(150):
            if step == 100:  # every sample in one place, as after a collapse
                with torch.no_grad():
                    loop.g[2].weight.zero_()
                loop.opt_g.param_groups[0]["lr"] = 0.0
            loop.step()
    diagnosis = monitor.diagnosis()
    assert diagnosis.steps == 150
    assert diagnosis == examine(read(tmp_path / "record.jsonl"))
    assert float(monitor.record.measured("dispersion")[1][-1]) < 0.01


def test_a_bad_gradient_is_a_finding_and_its_layer_an_event() -> None:
    loop = Loop()
    with loop.watch(probe_every=1000) as monitor:
        for step in range(5):
            if step == 3:
                with torch.no_grad():
                    loop.g[2].bias.fill_(math.nan)
            loop.step()
    assert monitor.diagnosis().verdict == "failing"
    assert monitor.diagnosis().findings[0].kind == "non_finite"
    event = next(e for e in monitor.record.events if e.detail.get("player") == "d")
    assert (event.name, event.detail["at"]) == ("non_finite_gradient", 4)
    assert event.detail["parameter"] == "2.bias"


def test_a_live_record_grows_and_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "record.jsonl"
    loop = Loop()
    with loop.watch(record=path) as monitor:
        for _ in range(70):
            loop.step()
        assert len(read(path)) == 64, "flushed every 64 rows"
    with loop.watch(record=path) as monitor:
        for _ in range(5):
            loop.step()
    assert monitor.diagnosis().steps == 75
    assert monitor.diagnosis() == examine(read(path))


def test_a_temporary_record_goes_with_its_monitor() -> None:
    loop = Loop()
    monitor = loop.watch()
    loop.step()
    path = monitor._chart.path
    monitor.close()
    assert path.exists(), "closed, but still to be asked"
    assert len(monitor.record) == 1
    del monitor
    gc.collect()
    assert not path.parent.exists()


def test_closing_detaches() -> None:
    loop = Loop()
    monitor = loop.watch()
    loop.step()
    monitor.close()
    monitor.close()
    loop.step()
    assert monitor.step == 1
    assert not loop.opt_g._optimizer_step_pre_hooks


def test_saved_run_and_report(tmp_path: Path) -> None:
    loop = Loop()
    with loop.watch(probe_every=5) as monitor:
        for _ in range(20):
            loop.step()
    root = monitor.save(tmp_path / "mine")
    assert len(read(root / "record.jsonl")) == 20
    assert json.loads((root / "diagnosis.json").read_text())["steps"] == 20
    assert json.loads((root / "environment.json").read_text())["generator"] == "Sequential"
    page = monitor.report(tmp_path / "page.html").read_text()
    assert "<title>page: " in page
    assert "coverage" in page
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "page.html"]


def test_saving_beside_the_live_record_keeps_it(tmp_path: Path) -> None:
    loop = Loop()
    with loop.watch(record=tmp_path / "record.jsonl") as monitor:
        loop.step()
        monitor.save(tmp_path)
        loop.step()
    assert len(read(tmp_path / "record.jsonl")) == 2


def test_signals_is_a_table_of_all() -> None:
    loop = Loop()
    with loop.watch() as monitor:
        loop.step()
        loop.step()
    signals = monitor.signals
    assert list(signals["grad_norm_d"]) == list(monitor.record["grad_norm_d"])


def test_a_probe_that_fails_is_switched_off_and_the_training_goes_on() -> None:
    loop = Loop()
    fails = [False]

    def forward_d(d: nn.Module, x: Tensor) -> Tensor:
        if fails[0]:
            raise RuntimeError("out of memory\nand much more")
        return d(x)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with loop.watch(probe_every=1, forward_d=forward_d) as monitor:
            loop.step()
            fails[0] = True
            for _ in range(3):
                loop.step()
    assert [str(w.message) for w in seen] == [
        "steadygan: Discriminator is switched off: out of memory"
    ]
    record = monitor.record
    assert record.measured("auc")[0].tolist() == [1]
    assert record.measured("coverage")[0].tolist() == [1, 2, 3, 4]
    assert record.events[0].detail == {"probe": "Discriminator", "reason": "out of memory"}


@pytest.mark.filterwarnings("ignore:steadygan. all 100 reals are the same sample")
def test_reals_that_are_all_the_same_are_not_compared_with() -> None:
    loop = Loop()
    with pytest.warns(UserWarning, match="SampleSpace is left out: FeatureMap.fit must"):
        monitor = watch(
            loop.g,
            loop.d,
            loop.opt_g,
            loop.opt_d,
            real=torch.ones(100, 2),
            latent=torch.randn(64, 4),
        )
    with monitor:
        loop.step()
    assert "auc" in monitor.record
    assert "coverage" not in monitor.record


def test_the_clock_decides_the_cadence() -> None:
    """Each look at the clock takes a second: the monitor is dear beyond any budget."""
    ticks = iter(range(10**6))
    loop = Loop()
    with loop.watch(probe_every=2, budget=1e-3, clock=lambda: float(next(ticks))) as monitor:
        for _ in range(100):
            loop.step()
    probed = monitor.record.measured("coverage")[0]
    assert probed[probed < 30].tolist() == [1, *range(2, 30, 2)]
    assert probed[probed > 40].tolist() == [42, 48, 54, 60, 66, 72, 78, 84, 90, 96]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda a: a | {"probe_every": 0}, ConfigError, "watch probe_every must be >= 1, got 0"),
        (lambda a: a | {"opt_d": a["opt_g"]}, ConfigError, "opt_d must hold parameters of the dis"),
        (lambda a: a | {"budget": -1.0}, ConfigError, "watch budget must be > 0, got -1.0"),
        (lambda a: a | {"record": "."}, DataError, "watch record must be a file, got the folder"),
        (
            lambda a: a | {"latent": torch.randn(64, 7)},
            ContractError,
            r"the generator could not be called with inputs of shape \(64, 7\) .* pass forward_g",
        ),
        (
            lambda a: a | {"real": torch.randn(100, 3)},
            ContractError,
            r"the discriminator could not be called with inputs of shape \(100, 3\)",
        ),
        (
            lambda a: a | {"real": torch.randn(100, 2, 1), "forward_d": lambda d, x: x.flatten(1)},
            ContractError,
            r"samples must have the shape of reals \(2, 1\), got \(2,\)",
        ),
    ],
)
def test_what_is_wrong_is_said_at_once(
    change: Callable[[dict[str, object]], dict[str, object]],
    error: type[Exception],
    message: str,
) -> None:
    loop = Loop()
    arguments: dict[str, object] = {
        "generator": loop.g,
        "discriminator": loop.d,
        "opt_g": loop.opt_g,
        "opt_d": loop.opt_d,
        "real": REAL,
        "latent": torch.randn(64, 4),
    }
    with pytest.raises(error, match=message):
        watch(**change(arguments))
    assert not loop.opt_g._optimizer_step_pre_hooks, "nothing stays attached"


def test_an_optimizer_that_is_given_other_parameters_ends_nothing() -> None:
    loop = Loop()
    with loop.watch() as monitor:
        loop.step()
        copies = [torch.nn.Parameter(p.detach().clone()) for p in loop.d.parameters()]
        loop.opt_d.param_groups[0]["params"] = copies
        for _ in range(2):
            loop.step()
    assert monitor.record.measured("grad_norm_d")[0].tolist() == [1]
    assert monitor.record.measured("grad_norm_g")[0].tolist() == [1, 2, 3]


def test_one_record_has_one_monitor_at_a_time(tmp_path: Path) -> None:
    loop, path = Loop(), tmp_path / "record.jsonl"
    with loop.watch(record=path):
        loop.step()
        with pytest.raises(CheckpointError, match="must have one writer"):
            Loop().watch(record=path)
        loop.step()
    with loop.watch(record=path) as monitor:
        loop.step()
    assert monitor.record.steps.tolist() == [1, 2, 3]
