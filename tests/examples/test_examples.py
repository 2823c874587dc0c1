"""Every example runs as a script, without a warning, and ends in a diagnosis that assessed the run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("[0-9]*.py"))
NEEDS = {"05_lightning_module": "lightning", "06_accelerate_loop": "accelerate"}

# Long enough for every detector that looks at samples, at D and at gradients.
ASSESSED = ("mode_collapse", "discriminator_overpowering", "oscillation", "vanishing_gradient")


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_it_runs_and_prints_a_diagnosis(path: Path, tmp_path: Path) -> None:
    if path.stem in NEEDS:
        pytest.importorskip(NEEDS[path.stem])
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^(healthy|warning|failing) after ", done.stdout, re.MULTILINE), done.stdout
    left_out = done.stdout.partition("not assessed:")[2]
    assert not [kind for kind in ASSESSED if kind in left_out], left_out


def test_there_are_examples() -> None:
    assert EXAMPLES
    assert set(NEEDS) <= {path.stem for path in EXAMPLES}
