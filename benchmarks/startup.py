"""How long it takes to start: the import, the command line's help, the first step of a recipe."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet

REPEATS = 5
FIRST_STEP = """
import time, sys
began = time.perf_counter()
import steadygan

class FirstStep(BaseException):
    pass

def progress(step, *rest):
    print(time.perf_counter() - began)
    raise FirstStep

try:
    steadygan.train("digits", out=sys.argv[1], progress=progress)
except FirstStep:
    pass
"""


def measure(sheet: Sheet, settings: Settings) -> None:
    """Fresh processes, medians; files are cached by the system after the first."""
    del settings
    python = sys.executable
    command = Path(python).with_name("steadygan")
    sheet.row(f"fresh process, median of {REPEATS}", "seconds")
    sheet.row("python, nothing else", _whole(python, "-c", "pass"))
    sheet.row("import steadygan", _whole(python, "-c", "import steadygan"))
    sheet.row("import torch, for comparison", _whole(python, "-c", "import torch"))
    if command.exists():
        sheet.row("steadygan --help (bar 0.5)", _whole(str(command), "--help"))
    else:
        sheet.line("steadygan --help: skipped, the command is not installed beside this Python")
    sheet.row("from import to the first step of `digits` done", _to_first_step())


def _whole(*command: str) -> str:
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    return f"{statistics.median(seconds):.2f}"


def _to_first_step() -> str:
    seconds = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", FIRST_STEP, f"{folder}/run"], capture_output=True, text=True
            )
        if done.returncode:
            return f"skipped: {done.stderr.strip().splitlines()[-1]}"
        seconds.append(float(done.stdout))
    return f"{statistics.median(seconds):.2f}"
