"""Plans, lots and maps on disk: what is killed and resumed ends as the same map, and shards make one."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from steadygan.atlas.lots import Lots
from steadygan.errors import ConfigError
from steadygan.recipes import load_recipe
from steadygan.recipes import plan as plans
from steadygan.recipes.advice import advise
from steadygan.recipes.atlas import begin, read_map, run, work
from steadygan.recipes.axes import Axis
from steadygan.recipes.families import family_key
from steadygan.recipes.plan import Plan, make_plan

TINY = ("network.width=4", "network.depth=1", "batch=8", "probe.num=24", "penalties={}")


def tiny(
    *, seeds: int = 2, objectives: Sequence[str] = (), x: str = "optimizer.g.lr=1e-3:1e-1:log:3"
) -> Plan:
    y = Axis.parse("optimizer.d.lr=1e-3:1e-1:log:2")
    return make_plan(
        "rings", Axis.parse(x), y, seeds=seeds, steps=16, settings=TINY, objectives=objectives
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a.b=1:3:3", (1.0, 2.0, 3.0)),
        ("a.b=1e-4:1:log:3", (1e-4, 1e-2, 1.0)),
        ("a=hinge,wasserstein", ("hinge", "wasserstein")),
        ("a=1,5", (1, 5)),
    ],
)
def test_axes(text: str, values: tuple[object, ...]) -> None:
    assert Axis.parse(text).values == values


@pytest.mark.parametrize(
    "text", ["lr", "lr=", "lr=1:2", "lr=0:1:log:3", "lr=1:2:x", "lr=1:2:lin:3"]
)
def test_axes_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="an axis must look like"):
        Axis.parse(text)


def test_a_plan_makes_members_small_and_says_so() -> None:
    plan = make_plan("rings", Axis.parse("optimizer.g.lr=1e-3,1e-2"))
    assert plan.shrunk == (("network.width", 128, 32), ("batch", 256, 64))
    assert plan.recipe["steps"] == 2000
    kept = make_plan("rings", Axis.parse("batch=32,128"), settings=["network.width=64"])
    assert kept.shrunk == ()
    assert make_plan("rings", Axis.parse("seed=1"), size="recipe").shrunk == ()


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    plan = tiny(objectives=["hinge", "wasserstein"])
    plan.save(tmp_path / "atlas.json")
    assert Plan.load(tmp_path / "atlas.json") == plan


def test_families_share_what_stacks_and_part_where_it_does_not() -> None:
    recipe = load_recipe("rings")
    same = ["optimizer.g.lr=0.1", "optimizer.d.betas=[0.5, 0.9]", "seed=4", "update.d_steps=2"]
    same += ["network.initial_scale=0.5", "penalties.r1.weight=3.0", "probe.every=7"]
    for change in same:
        assert family_key(load_recipe(recipe, [change])) == family_key(recipe), change
    other = ["optimizer.g.name=sgd", "penalties.r1.weight=0", "objective=hinge", "batch=9"]
    for change in other:
        assert family_key(load_recipe(recipe, [change])) != family_key(recipe), change


def test_a_bad_cell_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for x, message in (
        ("optimizer.g.lr=-1:1:3", "adam.lr must be > 0"),
        ("nonsense=1:2:2", "unknown"),
    ):
        with pytest.raises(ConfigError, match=message):
            begin(tiny(x=x), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_shards_and_resumption_make_the_same_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SIZE", 3)
    begin(tiny(), tmp_path / "whole")
    whole = run(tmp_path / "whole", jobs=1)
    assert whole.complete
    begin(tiny(), tmp_path / "parts")
    work(tmp_path / "parts")
    lots = Lots(tmp_path / "parts" / "lots")
    assert len(list(lots.folder.glob("*.jsonl"))) == 4
    (lots.folder / "0001.jsonl").unlink()
    (lots.folder / "0002.jsonl").unlink()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (lots.folder / "0002.claim").write_text(f"{os.uname().nodename} {dead.pid}\n")
    assert not read_map(tmp_path / "parts").complete
    assert run(tmp_path / "parts", jobs=1) == whole
    assert not list(lots.folder.glob("*.claim"))
    for name in ("map.json", "map.png"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_lot_is_taken_once(tmp_path: Path) -> None:
    lots = Lots(tmp_path)
    assert lots.claim(0)
    assert not lots.claim(0)
    assert list(lots.open_lots(3)) == [1, 2]
    (tmp_path / "0001.claim").write_text("elsewhere 1\n")
    assert not lots.claim(1)
    os.utime(tmp_path / "0001.claim", (0, 0))
    assert lots.claim(1)
    lots.hand_in(1, [{"number": 5}])
    assert not lots.claim(1)
    assert lots.results() == {5: {"number": 5}}


def test_a_folder_holds_one_atlas(tmp_path: Path) -> None:
    begin(tiny(), tmp_path)
    with pytest.raises(ConfigError, match="already holds an atlas"):
        begin(tiny(), tmp_path)
    with pytest.raises(ConfigError, match="holds no atlas"):
        run(tmp_path / "elsewhere")


def test_advice_takes_the_safest_cell_and_gives_reasons(tmp_path: Path) -> None:
    plan = tiny(objectives=["hinge", "wasserstein"], seeds=1)
    begin(plan, tmp_path)
    assert advise("rings", tmp_path) is None
    rows = [
        {
            "number": t.number,
            "outcome": "healthy" if t.objective == "hinge" and t.x >= 1 else "collapsed",
            "findings": [],
            "steps": 16,
            "last": {"energy_distance": 0.01 * t.x},
        }
        for t in plan.trainings
    ]
    Lots(tmp_path / "lots").hand_in(0, rows)
    advice = advise("rings", tmp_path)
    assert advice is not None
    assert advice.settings == {
        "objective": "hinge",
        "optimizer.g.lr": 0.01,
        "optimizer.d.lr": 0.001,
    }
    assert advice.recipe.objective.name == "hinge"
    assert advice.recipe.optimizer.g.options["lr"] == 0.01
    assert load_recipe(advice.recipe) == advice.recipe
    assert any("wasserstein 0%" in reason for reason in advice.reasons)
    assert json.loads(json.dumps(advice.to_dict()))["settings"] == advice.settings
