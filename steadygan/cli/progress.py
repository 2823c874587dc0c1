"""The progress line of a training: step, speed, time left, both losses, the verdict."""

import math
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from steadygan.doctor import Diagnosis
    from steadygan.training.loop import Signals

_REFRESH_S = 0.2
_UNDER_WAY = ("trying", "improving, keep")


class ProgressLine:
    """Shows a training while it runs, on stderr; redrawn at most five times a second.

    Where stderr is no terminal, a plain line is printed at every tenth of the run instead.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("[bold]step"),
            MofNCompleteColumn(),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[speed]:>7} steps/s"),
            TimeRemainingColumn(),
            TextColumn("D {task.fields[loss_d]}  G {task.fields[loss_g]}  {task.fields[verdict]}"),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._shown_at = 0.0
        self._shown_step = 0
        self._tenth = 0

    def __enter__(self) -> "ProgressLine":
        """Nothing is drawn before the first step."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        if self._task is not None:
            self._bar.stop()

    def __call__(
        self, step: int, steps: int, signals: "Signals", diagnosis: "Diagnosis | None"
    ) -> None:
        """Show one step; cheap unless it is time to redraw."""
        now = time.monotonic()
        if not self._console.is_terminal:
            self._plain(step, steps, signals, diagnosis)
        elif self._task is None or now - self._shown_at >= _REFRESH_S or step == steps:
            self._draw(now, step, steps, signals, diagnosis)

    def _draw(
        self,
        now: float,
        step: int,
        steps: int,
        signals: "Signals",
        diagnosis: "Diagnosis | None",
    ) -> None:
        fields: dict[str, Any] = {
            "speed": self._speed(now, step),
            "loss_d": f"{float(signals.get('loss_d', math.nan)):.3f}",
            "loss_g": f"{float(signals.get('loss_g', math.nan)):.3f}",
            "verdict": _verdict(diagnosis, colour=True),
        }
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("train", total=steps, completed=step, **fields)
        else:
            self._bar.update(self._task, completed=step, **fields)
        self._shown_at, self._shown_step = now, step

    def _speed(self, now: float, step: int) -> str:
        if not self._shown_at:
            return "–"
        return f"{(step - self._shown_step) / max(now - self._shown_at, 1e-9):,.0f}"

    def _plain(
        self, step: int, steps: int, signals: "Signals", diagnosis: "Diagnosis | None"
    ) -> None:
        tenth = step * 10 // steps
        if tenth != self._tenth:
            self._tenth = tenth
            self._console.print(
                f"step {step:,}/{steps:,}  D {float(signals.get('loss_d', math.nan)):.3f}  "
                f"G {float(signals.get('loss_g', math.nan)):.3f}  {_verdict(diagnosis, colour=False)}",
                highlight=False,
            )


def _verdict(diagnosis: "Diagnosis | None", *, colour: bool) -> str:
    if diagnosis is None:
        return "not assessed yet"
    worst = next((f for f in diagnosis.findings if f.resolved is None), None)
    text = diagnosis.verdict if worst is None else f"{diagnosis.verdict}: {worst.kind}"
    if diagnosis.treatments and diagnosis.treatments[-1]["outcome"] in _UNDER_WAY:
        text += f", treated: {diagnosis.treatments[-1]['action']}"
    if not colour:
        return text
    ink = {"healthy": "green", "warning": "yellow", "failing": "red"}.get(diagnosis.verdict, "dim")
    return f"[{ink}]{text}[/]"
