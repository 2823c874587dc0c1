"""Cases are plain files; what is wrong in one is said with its name."""

from pathlib import Path

import pytest
import yaml

from steadygan.errors import ConfigError
from steadygan.ward import load_case, named_cases

DATA = Path("data")


def test_there_are_enough_of_them_and_their_recipes_are_whole() -> None:
    cases = named_cases()
    healthy = [c for c in cases.values() if c.expect.outcome == "healthy"]
    assert len(cases) >= 60
    assert len(healthy) >= 24
    for case in cases.values():
        recipe = case.recipe(seed=3, data=DATA)
        assert recipe.seed == 3
        assert all(fault.at <= recipe.steps for fault in case.faults)
        assert bool(case.expect.kinds) == (case.expect.outcome == "failing")


def test_both_halves_hold_both_sorts() -> None:
    for half in ("tuned", "held"):
        meant = [c.expect.outcome for c in named_cases().values() if c.half == half]
        assert len(meant) >= 40
        assert 0.3 < meant.count("healthy") / len(meant) < 0.7


def write(folder: Path, **change: object) -> Path:
    tree = {
        "title": "a training of mine",
        "half": "held",
        "base": "ring",
        "expect": {"outcome": "failing", "kinds": ["mode_collapse"]},
        **change,
    }
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def test_a_case_of_ones_own(tmp_path: Path) -> None:
    case = load_case(write(tmp_path, set={"optimizer.g.lr": 0.5}))
    assert case.name == "mine"
    assert case.recipe(0).optimizer.g.options["lr"] == 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"half": "both"}, "case mine.half must be 'tuned' or 'held', got 'both'"),
        ({"expect": {"outcome": "failing", "kinds": ["mode_colapse"]}}, "mode_collapse"),
        ({"faults": [{"name": "scale_rates", "at": 3}]}, "scale_rate"),
        ({"faults": [{"name": "scale_rate", "at": 0}]}, ">= 1"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match="case mine") as caught:
        load_case(write(tmp_path, **change))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_base_or_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"base 'rings'.*ring"):
        load_case(write(tmp_path, base="rings")).recipe(0)
    with pytest.raises(ConfigError, match=r"case mine: .*optimiser"):
        load_case(write(tmp_path, set={"optimiser.g.lr": 1})).recipe(0)


def test_files_that_are_not_there_are_asked_for() -> None:
    with pytest.raises(ConfigError, match="--data FOLDER"):
        named_cases()["mnist-well"].recipe(0)
