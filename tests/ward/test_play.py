"""A case that is played leaves a record, the same each time, and the same diagnosis live and replayed."""

from pathlib import Path

import pytest
import torch

from steadygan.ward import Case, Course, Expectation, Fault, judge, play
from steadygan.ward.case import Pool
from steadygan.ward.faults import FAULTS, Ongoing
from steadygan.ward.rounds import Visit, make_rounds, visits


def tiny(*faults: Fault, base: str = "ring", **change: object) -> Case:
    return Case(
        name="tiny",
        title="sixty steps of little networks",
        half="tuned",
        base=base,
        set={"steps": 60, "network.width": 8, "batch": 8},
        probe_every=10,
        faults=faults,
        expect=Expectation(outcome="failing", kinds=("non_finite",)),
        **change,  # type: ignore[arg-type]
    )


def test_the_same_seed_gives_the_same_record(tmp_path: Path) -> None:
    courses = [play(tiny(), seed, tmp_path / name) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    records = [(tmp_path / name / "record.jsonl").read_text() for name in "abc"]
    without_times = [[r for r in text.splitlines()] for text in records]
    assert courses[0].readings == courses[1].readings != courses[2].readings
    assert len(without_times[0]) == 60
    assert Course.load(tmp_path / "a") == courses[0]


def test_a_nan_batch_is_a_failure_that_is_found(tmp_path: Path) -> None:
    case = tiny(Fault(name="spoil_batch", at=31))
    course = play(case, 0, tmp_path)
    found = judge(case, course, tmp_path)
    assert course.outcome == "failing"
    assert 31 <= (course.onset or 0) <= 33
    assert found.open[0] == "non_finite"
    assert found.kind_is_right
    assert found.same_live
    assert found.baselines["NaN only"] is not None


def test_digits_with_few_samples(tmp_path: Path) -> None:
    course = play(tiny(base="digits", pool=Pool(num=32, only=(1, 2))), 0, tmp_path)
    assert course.steps == 60


def test_rounds_keep_what_is_done_and_play_again_what_changed(tmp_path: Path) -> None:
    calls: list[int] = []
    plan = visits([tiny()], [0], tmp_path)
    first = make_rounds(plan, Visit.make, jobs=1, on_done=lambda: calls.append(1))
    played = (tmp_path / "tiny-0" / "record.jsonl").stat().st_mtime_ns
    again = make_rounds(plan, Visit.make, jobs=1)
    assert (tmp_path / "tiny-0" / "record.jsonl").stat().st_mtime_ns == played
    assert (first[0].alarms, len(calls)) == (again[0].alarms, 1)
    changed = tiny(Fault(name="scale_weights", at=5, player="g", by=2.0))  # type: ignore[call-arg]
    make_rounds(visits([changed], [0], tmp_path), Visit.make, jobs=1)
    assert (tmp_path / "tiny-0" / "record.jsonl").stat().st_mtime_ns > played


@pytest.fixture
def ongoing() -> Ongoing:
    from steadygan.data import Latent, Ring, Stream
    from steadygan.game import Game
    from steadygan.networks import mlp
    from steadygan.objectives import NonSaturating
    from steadygan.penalties import R1
    from steadygan.ward.loop import Unguarded

    torch.manual_seed(0)
    pair = mlp(2, 2, width=8)
    g, d = (torch.optim.SGD(n.parameters(), 0.1) for n in pair)
    game = Game(pair.g, pair.d, NonSaturating(), (R1(weight=2.0),))
    return Ongoing(game, Unguarded(g, d), Stream(Ring(), Latent(2), 8, seed=0))


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in network.parameters()])


def test_rates_penalties_and_weights(ongoing: Ongoing) -> None:
    FAULTS["scale_rate"](ongoing, player="g", by=3.0)
    assert ongoing.optimizer("g").param_groups[0]["lr"] == pytest.approx(0.3)
    FAULTS["scale_penalties"](ongoing, by=0.5)
    assert ongoing.game.penalties[0].weight == 1.0
    FAULTS["scale_penalties"](ongoing, by=0.0)
    assert ongoing.game.penalties == ()
    before = weights(ongoing.game.d)
    FAULTS["scale_weights"](ongoing, player="d", by=2.0)
    assert torch.equal(weights(ongoing.game.d), 2 * before)


@pytest.mark.parametrize("player", ["g", "d"])
def test_a_stopped_player_stays(ongoing: Ongoing, player: str) -> None:
    FAULTS["stop_player"](ongoing, player=player)
    before = {p: weights(ongoing.network(p)) for p in ("g", "d")}
    ongoing.rule.step(ongoing.game, ongoing.draw, 1)
    for p in ("g", "d"):
        assert torch.equal(weights(ongoing.network(p)), before[p]) == (p == player)


def test_outputs_and_latents(ongoing: Ongoing) -> None:
    z = torch.randn(5, 2)
    before = ongoing.game.g(z).detach()
    FAULTS["shift_output"](ongoing, by=3.0)
    assert torch.allclose(ongoing.game.g(z), before + 3)
    FAULTS["ignore_latent"](ongoing)
    assert torch.equal(ongoing.game.g(z)[0], ongoing.game.g(z)[1])
    FAULTS["blank_output"](ongoing)
    assert not ongoing.game.g(z).any()


def test_batches(ongoing: Ongoing) -> None:
    plain = ongoing.draw
    FAULTS["scale_reals"](ongoing, by=2.0)
    FAULTS["mirror_reals"](ongoing)
    assert torch.equal(ongoing.draw().x, -2 * plain.at(0).x)  # type: ignore[attr-defined]
    FAULTS["spoil_batch"](ongoing)
    assert ongoing.draw().x.isnan().any()
    assert not ongoing.draw().x.isnan().any()
    FAULTS["freeze_batch"](ongoing)
    first, second = ongoing.draw(), ongoing.draw()
    assert torch.equal(first.x, second.x)
    assert not torch.equal(first.z, second.z)
    FAULTS["noise_reals"](ongoing, std=0.1)
    assert 0.05 < (ongoing.draw().x - first.x).std() < 0.2


def test_forgotten_moments(ongoing: Ongoing) -> None:
    ongoing.rule.players["g"].optimizer = torch.optim.Adam(ongoing.game.g.parameters())
    ongoing.rule.step(ongoing.game, ongoing.draw, 1)
    FAULTS["forget_moments"](ongoing, player="g")
    assert not ongoing.optimizer("g").state
