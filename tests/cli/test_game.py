"""`steadygan game`: the JSON that others read, the table, and one line for every wrong input."""

import json

import pytest

from steadygan.cli.main import run
from steadygan.recipes.catalogue import catalogues

KEYS = {
    "schema",
    "game",
    "rule",
    "spectral_radius",
    "verdict",
    "eigenvalues",
    "max_stable_lr",
    "stiffness",
}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    assert run(["game", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_of_one_rule(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--objective", "wasserstein", "--penalty", "r1", "--rule", "alternating"]
    found = printed(capsys, "dirac", *options, "--lr-g", "0.1", "--lr-d", "0.1")
    assert isinstance(found, dict)
    assert set(found) == KEYS
    assert (found["schema"], found["game"], found["rule"]) == (1, "dirac", "alternating")
    assert found["verdict"] == "converges"
    # λ² − (2 − hγ − h²) λ + (1 − hγ) = 0: both moduli are √(1 − hγ)
    assert found["spectral_radius"] == pytest.approx(0.9**0.5, abs=1e-9)
    assert len(found["eigenvalues"]) == 2
    assert found["max_stable_lr"][0] == found["max_stable_lr"][1]


def test_json_of_all_rules(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "bilinear", "--rule", "all", "--matrix", "1,0;0,2")
    assert isinstance(found, list)
    by_rule = {each["rule"]: each for each in found}
    assert sorted(by_rule) == sorted(catalogues()["updates"])
    assert by_rule["alternating"]["max_stable_lr"] == pytest.approx([1.0, 1.0], rel=1e-6)
    assert by_rule["simultaneous"]["max_stable_lr"] == [0.0, 0.0]
    assert by_rule["implicit"]["max_stable_lr"] is None
    assert set(by_rule["implicit"]) == KEYS | {"unbounded"}
    assert by_rule["implicit"]["unbounded"] is True
    assert all(each["stiffness"] == pytest.approx(2.0) for each in found)


def test_rates_keep_their_ratio_and_rules_take_options(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "bilinear", "--lr-g", "0.1", "--lr-d", "0.4")
    assert isinstance(found, dict)
    assert found["max_stable_lr"] == pytest.approx([1.0, 4.0], rel=1e-6)
    more = printed(capsys, "bilinear", "--option", "d_steps=4", "--lr-g", "0.1", "--lr-d", "0.1")
    assert isinstance(more, dict)
    assert more["max_stable_lr"] == pytest.approx([1.0, 1.0], rel=1e-6)


def test_away_from_equilibrium(capsys: pytest.CaptureFixture[str]) -> None:
    rest = printed(capsys, "dirac", "--rule", "simultaneous")
    away = printed(capsys, "dirac", "--rule", "simultaneous", "--at", "1.0,2.0")
    assert isinstance(rest, dict)
    assert isinstance(away, dict)
    assert rest["eigenvalues"] != away["eigenvalues"]
    assert run(["game", "dirac", "--at", "-1.0,2.0"]) == 0
    assert "not an equilibrium" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["gaussian", "--std", "2"], ["bilinear"]])
def test_table(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run(["game", *arguments]) == 0
    out = capsys.readouterr().out
    for word in ("verdict", "spectral radius", "largest rates", "stiffness", "equilibrium"):
        assert word in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["diracs"], "did you mean 'dirac'"),
        (["bilinear", "--matrix", "1,1;1,1"], "singular one (rank 1 of 2)"),
        (["bilinear", "--matrix", "1,x"], "--matrix must be numbers"),
        (["bilinear", "--matrix", "1,2;3"], "equally long"),
        (["bilinear", "--matrix", "nan"], "must be finite"),
        (["bilinear", "--lr-g", "-0.1"], "--lr-g must be > 0 and finite, got -0.1"),
        (["bilinear", "--lr-d", "nan"], "--lr-d must be > 0"),
        (["bilinear", "--rule", "alternatin"], "did you mean 'alternating'"),
        (["bilinear", "--rule", "all", "--option", "d_steps=2"], "--option goes with one rule"),
        (["bilinear", "--option", "d_steps"], "--option must be like d_steps=5"),
        (["bilinear", "--penalty", "r1"], "--penalty belongs to dirac and gaussian"),
        (["dirac", "--matrix", "1"], "--matrix belongs to bilinear and quadratic"),
        (["dirac", "--penalty", "r1:-1"], "R1.weight must be >= 0"),
        (["dirac", "--penalty", "r1:x"], "--penalty r1 must be numbers"),
        (["dirac", "--objective", "hing"], "did you mean 'hinge'"),
        (["dirac", "--at", "1"], "must have 2 coordinates"),
        (["dirac", "--at", "1,inf"], "must be finite, got inf at index 1"),
        (["dirac", "--noise", "-1"], "noise must be >= 0"),
        (["gaussian", "--std", "0"], "std > 0"),
        (["quadratic"], "quadratic needs --matrix"),
        (["quadratic", "--matrix", "1,2;-2,0.5", "--num-g", "2"], "num_g must be in"),
    ],
)
def test_wrong_input_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert run(["game", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
