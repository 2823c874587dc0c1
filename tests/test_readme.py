"""The README's Python runs as it stands, and its commands exist."""

import re
from pathlib import Path

import pytest

from steadygan.cli.main import _VERBS

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_runs(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(BLOCKS[number], f"README block {number}", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out.strip()


def test_commands_exist() -> None:
    named = set(re.findall(r"^steadygan (\w+)", README, flags=re.MULTILINE))
    assert {"train", "sample", "export", "report", "list", "diagnose"} <= named <= set(_VERBS)


def test_linked_pages_exist() -> None:
    root = Path(__file__).parent.parent
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (root / target).exists(), target
