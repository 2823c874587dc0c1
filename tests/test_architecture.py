"""The house stays in order: imports point upwards only, files and functions stay small, only the CLI prints."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import steadygan

ROOT = Path(steadygan.__file__).parent

# A module imports only from rooms before its own.
ORDER = [
    *(
        "types",
        "errors",
        "names",
        "layout",
        "loss_scale",
        "objectives",
        "penalties",
        "networks",
        "data",
    ),
    *("metrics", "game", "blame", "updates", "dynamics", "record", "probes", "doctor", "remedies"),
    *("report", "monitor", "training", "evaluation", "atlas", "recipes", "ward", "cli"),
]

# file -> lines allowed, with the reason
LONG_FILES: dict[str, int] = {}
MAX_LINES, MAX_FUNCTION = 300, 60


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    inside = path.relative_to(ROOT)
    return inside.parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Names of steadygan modules imported anywhere, functions and TYPE_CHECKING blocks included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("steadygan"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("steadygan"):
            if node.module == "steadygan":
                yield from (f"steadygan.{a.name}" for a in node.names)
            else:
                yield str(node.module)
        assert not (isinstance(node, ast.ImportFrom) and node.level), "relative import"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_upwards(path: Path) -> None:
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return  # the front doors
    assert room in ORDER, f"{path} is in no room of the house; add it to the order"
    for name in imports_of(ast.parse(path.read_text())):
        parts = name.split(".")
        if len(parts) == 1 or parts[1] not in ORDER:
            assert room == "cli" or parts[1:] == ["__version__"] or len(parts) == 1, (path, name)
            continue
        assert ORDER.index(parts[1]) <= ORDER.index(room), f"{path} imports {name}, a room below it"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    allowed = LONG_FILES.get(str(path.relative_to(ROOT)), MAX_LINES)
    assert len(text.splitlines()) <= allowed, path
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= MAX_FUNCTION, f"{path}: {node.name} has {lines} lines"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_command_line_prints(path: Path) -> None:
    if room_of(path) == "cli":
        return
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    assert not [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), path


def test_nothing_is_unpickled() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] + [getattr(node, "module", "") or ""]
                assert not {"pickle", "dill", "joblib"} & {n.split(".")[0] for n in names}, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                assert called != "torch.load", path


def test_no_rooms_called_utils() -> None:
    banned = {"utils", "util", "common", "helpers", "helper", "misc", "base", "manager"}
    assert not [p for p in modules() if p.stem.lower() in banned or p.parent.name in banned]


def test_importing_defines_and_does_nothing_else() -> None:
    """Every module imports in a fresh interpreter, without output and without writing."""
    names = [m.name for m in pkgutil.walk_packages([str(ROOT)], "steadygan.")]
    code = "import importlib\n" + "\n".join(f"importlib.import_module({n!r})" for n in names)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "", done.stdout


def test_the_front_door_is_light() -> None:
    """``import steadygan`` and the command's help load neither torch nor pydantic."""
    code = (
        "import sys, steadygan.cli.main\n"
        "heavy = {'torch', 'pydantic', 'rich', 'sklearn', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_resolves() -> None:
    for name in steadygan.__all__:
        assert getattr(steadygan, name) is not None
    for module in pkgutil.iter_modules([str(ROOT)]):
        package = importlib.import_module(f"steadygan.{module.name}")
        for name in getattr(package, "__all__", ()):
            assert hasattr(package, name), (package, name)
