"""What stands at the bedside: which probes there are, what they are given, and that none ends a training."""

import math
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from steadygan import Monitor, watch
from steadygan.doctor import examine
from steadygan.errors import DataError
from steadygan.monitor.bedside import Bedside, usual_probes
from steadygan.monitor.chart import Chart
from steadygan.probes import Memory, SampleSpace
from steadygan.probes.foreign import Discriminator, Generator
from steadygan.record import RecordWriter, read


def reals(num: int, seed: int) -> Tensor:
    return torch.randn(num, 2, generator=torch.Generator().manual_seed(seed))


class Watched:
    """A pair that nobody trains, under a monitor."""

    def __init__(self, g: nn.Module | None = None, d: nn.Module | None = None) -> None:
        self.g, self.d = g or nn.Linear(2, 2), d or nn.Linear(2, 1)
        self.opt_g = torch.optim.SGD(self.g.parameters(), 0.0)
        self.opt_d = torch.optim.SGD(self.d.parameters(), 0.0)

    def watch(self, **settings: object) -> Monitor:
        settings = {"real": reals(600, 0), "latent": reals(256, 1), "budget": None, **settings}
        return watch(self.g, self.d, self.opt_g, self.opt_d, **settings)

    def iterate(self) -> None:
        for net, optimizer in ((self.d, self.opt_d), (self.g, self.opt_g)):
            optimizer.zero_grad()
            net(reals(8, 2)).mean().backward()
            optimizer.step()

    def rows(self, num: int = 1, **settings: object) -> dict[str, float]:
        """The last values of the signals after some iterations."""
        with self.watch(probe_every=1, **settings) as monitor:
            for _ in range(num):
                self.iterate()
        record = monitor.record
        return {name: float(record.measured(name)[1][-1]) for name in record.signals}


class Repeats(nn.Module):
    """A generator that has learnt some reals by heart."""

    def __init__(self, known: Tensor) -> None:
        super().__init__()
        self.known, self.weight = known, nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        return self.known[torch.arange(len(z)) % len(self.known)] + self.weight


class ByHeart(nn.Module):
    """A discriminator that has learnt some reals by heart."""

    def __init__(self, known: Tensor) -> None:
        super().__init__()
        self.known, self.weight = known, nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return -torch.cdist(x, self.known).amin(dim=1) * self.weight


def test_validation_reals_are_those_the_game_never_sees() -> None:
    train = reals(300, 0)
    rows = Watched(d=ByHeart(train)).rows(real=train, validation=reals(200, 5))
    assert rows["auc_train"] == pytest.approx(1.0, abs=1e-3)
    assert rows["auc_validation"] == rows["auc"] < 0.95
    assert rows["logit_real"] > rows["logit_validation"]


@pytest.mark.filterwarnings("ignore:steadygan. the generator's samples are the same")
@pytest.mark.parametrize("as_function", [False, True])
def test_copies_of_training_reals_are_near_them(as_function: bool) -> None:
    """Also of a real that is not among the 512 that samples are compared with."""
    train = reals(1500, 0)
    given: Tensor | Callable[[int], Tensor] = (lambda n: train[:n]) if as_function else train
    copies = Watched(g=Repeats(train[-200:])).rows(real=given, validation=reals(100, 5))
    fresh = Watched(g=Repeats(reals(200, 7))).rows(real=given, validation=reals(100, 5))
    assert copies["nn_train"] == 0.0
    assert copies["nn_validation"] == fresh["nn_validation"] > 0.0
    assert fresh["nn_train"] == pytest.approx(fresh["nn_validation"], rel=0.5)


def test_without_enough_validation_reals_nothing_is_said_of_copies() -> None:
    assert "nn_train" not in Watched().rows(validation=reals(63, 5))
    assert "auc_train" in Watched().rows(validation=reals(16, 5))
    assert "auc_train" not in Watched().rows()
    with pytest.raises(DataError, match="watch validation must hold at least 16 reals, got 15"):
        Watched().watch(validation=reals(15, 5))


def test_networks_that_work_in_place_leave_what_is_fixed_alone() -> None:
    class Doubles(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(2, 1)

        def forward(self, x: Tensor) -> Tensor:
            logits: Tensor = self.linear(x.mul_(2))
            return logits

    watched = Watched(d=Doubles())
    once, often = watched.rows(1), watched.rows(4)
    for name in ("logit_real", "logit_fake", "auc", "input_grad_real", "energy_distance"):
        assert often[name] == once[name], name


def test_whatever_a_network_raises_the_training_goes_on() -> None:
    calls = [0]

    def forward_d(d: nn.Module, x: Tensor) -> Tensor:
        calls[0] += 1
        if calls[0] > 20:
            raise KeyError("a cache of ours")
        logits: Tensor = d(x)
        return logits

    watched = Watched()
    monitor = watched.watch(probe_every=1, forward_d=forward_d)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for _ in range(6):
            watched.iterate()
    assert [str(w.message) for w in seen] == [
        "steadygan: Discriminator is switched off: 'a cache of ours'"
    ]
    assert len(monitor.record.measured("coverage")[0]) == 6
    assert len(monitor.record.measured("auc")[0]) < 6


def test_a_bedside_for_a_loop_of_our_own(tmp_path: Path) -> None:
    """The record is somebody else's; the doctor hears each flush, and knows what was there before."""
    path = tmp_path / "record.jsonl"
    game = Watched()
    with RecordWriter(path, flush_every=4) as writer:
        chart = Chart(path, writer, is_live=True)
        probes, refusals = usual_probes(
            chart, reals(256, 1), compared=reals(512, 0), judged=(reals(128, 0),)
        )
        bedside = Bedside(
            Generator(game.g, None), Discriminator(game.d, None), probes, chart, {"generator": "G"}
        )
        assert not refusals
        for step in range(1, 11):
            writer.append(step, bedside.measure(step))
            assert (chart.latest is None) == (step < 4)
        assert bedside.diagnosis().steps == 8, "those up to the last flush"
        writer.flush()
        assert bedside.diagnosis() == examine(read(path))
    with RecordWriter(path) as writer:
        assert Chart(path, writer, is_live=True).diagnosis() == examine(read(path))


def test_what_cannot_be_compared_with_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with RecordWriter(path) as writer:
        chart = Chart(path, writer, is_live=True)
        probes, refusals = usual_probes(
            chart,
            reals(64, 1),
            compared=torch.ones(100, 2),
            judged=(reals(8, 0),),
            validation=(reals(100, 5),),
        )
        assert not probes
        assert [refusal.split(" is left out: ")[0] for refusal in refusals] == [
            "SampleSpace",
            "Discriminator",
        ]
        writer.append(1, {})
    assert [event.detail["probe"] for event in read(path).events] == [
        "SampleSpace",
        "Discriminator",
    ]


def test_distances_of_copies_and_coverage_are_in_one_space(tmp_path: Path) -> None:
    with RecordWriter(tmp_path / "record.jsonl") as writer:
        chart = Chart(tmp_path / "record.jsonl", writer, is_live=True)
        probes, _ = usual_probes(
            chart,
            reals(256, 1),
            compared=reals(512, 0),
            judged=(reals(128, 0),),
            validation=(reals(100, 5),),
        )
    space, _, memory = probes
    assert isinstance(space, SampleSpace)
    assert isinstance(memory, Memory)
    assert memory.map is space.map
    assert math.isfinite(float(memory.nn_validation))


def test_a_record_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text('{"loss": 1}\n{"step": 2, "loss_d": 1.0}\n')
    with pytest.raises(DataError, match=r"record\.jsonl must hold rows only, got '{\"loss\": 1}"):
        Watched().watch(record=path)


@pytest.mark.parametrize("num", [8, 23])
def test_with_too_few_reals_samples_are_compared_with_those_held_out(num: int) -> None:
    few, held_out = reals(num, 3), reals(200, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # D cannot be asked of eight reals
        seen = Watched().rows(real=few, validation=held_out)
    assert "energy_distance" in seen


def test_with_too_few_of_both_it_says_that_samples_are_not_measured() -> None:
    with pytest.warns(UserWarning, match="SampleSpace is left out: .* at least 24 reals, got 20"):
        seen = Watched().rows(real=reals(20, 3), validation=reals(20, 4))
    assert "energy_distance" not in seen
