"""The quick cases of the ward, played whole: no healthy run is accused, failures are found and named."""

from pathlib import Path

import pytest

from steadygan.ward import Judgement, named_cases
from steadygan.ward.rounds import visits

QUICK = {name: case for name, case in named_cases().items() if case.quick}


def judged(name: str, folder: Path) -> Judgement:
    (visit,) = visits([QUICK[name]], [0], folder)
    return visit.make()


def test_there_are_both_sorts() -> None:
    meant = [case.expect.outcome for case in QUICK.values()]
    assert min(meant.count("healthy"), meant.count("failing")) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_quick_case(name: str, tmp_path: Path) -> None:
    found = judged(name, tmp_path)
    assert found.same_live
    if found.outcome == "healthy":
        assert not found.alarms
    if found.outcome == "failing":
        assert found.kind_is_right
        assert found.cause_is_right
    if QUICK[name].expect.outcome == "healthy":
        assert found.outcome == "healthy", "the oracle disagrees: no control"
