"""The rounds of the ward: every chosen case and seed, on all cores, each kept once it is done."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import torch

from steadygan.errors import SteadyganError
from steadygan.ward.case import Case
from steadygan.ward.course import Course
from steadygan.ward.judge import Judgement, judge
from steadygan.ward.play import play
from steadygan.ward.rescue import Treated

_MARK = "case.sha"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Visit:
    """One case, one seed, and where its record is kept."""

    case: Case
    seed: int
    folder: Path
    data: Path | None
    budget: float | None = None
    arm: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the folder holds the course of this very case."""
        mark = self.folder / _MARK
        return (
            (self.folder / "course.json").is_file()
            and mark.is_file()
            and mark.read_text() == self._fingerprint()
        )

    def make(self) -> Judgement:
        """Play it, unless that is done, and judge it with the doctor of today."""
        self.play()
        return judge(self.case, Course.load(self.folder), self.folder)

    def treat(self) -> Treated:
        """Play it, unless that is done, and say how it ended."""
        self.play()
        return Treated.of(self.case, self.seed, self.arm or "nothing", self.folder)

    def play(self) -> None:
        """Play it, unless that is done."""
        torch.set_num_threads(1)
        if not self.is_done:
            shutil.rmtree(self.folder, ignore_errors=True)
            play(self.case, self.seed, self.folder, self.data, self.budget, self.arm)
            (self.folder / _MARK).write_text(self._fingerprint())

    def _fingerprint(self) -> str:
        """Of what decides the training; what the case expects may change without playing it again."""
        played = self.case.model_copy(update={"title": "", "expect": None, "half": "", "quick": 0})
        recipe = self.case.recipe(self.seed, self.data).model_dump_json()
        return hashlib.sha256(
            f"{played!r}{recipe}{self.budget or ''}{self.arm or ''}".encode()
        ).hexdigest()[:16]


def visits(
    cases: Sequence[Case],
    seeds: Sequence[int],
    folder: Path,
    data: Path | None = None,
    budget: float | None = None,
) -> list[Visit]:
    """Every case with every seed, under ``folder/CASE-SEED``."""
    return [Visit(c, s, folder / f"{c.name}-{s}", data, budget) for s in seeds for c in cases]


def treatments(
    cases: Sequence[Case],
    seeds: Sequence[int],
    folder: Path,
    data: Path | None = None,
    *,
    arms: Sequence[str],
) -> list[Visit]:
    """Every case with every seed under every arm, under ``folder/CASE-SEED-ARM``."""
    return [
        Visit(c, s, folder / f"{c.name}-{s}-{arm}", data, None, arm)
        for arm in arms
        for s in seeds
        for c in cases
    ]


def make_rounds(
    planned: Sequence[Visit],
    visit: Callable[[Visit], Result],
    *,
    jobs: int | None = None,
    on_done: Callable[[], None] | None = None,
) -> list[Result]:
    """What comes of all visits, in their order.

    Args:
        planned: what to play.
        visit: ``Visit.make`` to judge the doctor, ``Visit.treat`` to judge a treatment.
        jobs: processes, one core each; None: as many as there are cores.
        on_done: called after each.
    """
    jobs = min(len(planned) or 1, jobs or os.cpu_count() or 1)
    judgements: dict[int, Result] = {}
    for index, judgement in _made(planned, visit, jobs):
        judgements[index] = judgement
        if on_done is not None:
            on_done()
    return [judgements[index] for index in sorted(judgements)]


def _made(
    planned: Sequence[Visit], visit: Callable[[Visit], Result], jobs: int
) -> Iterator[tuple[int, Result]]:
    if jobs == 1:
        yield from ((index, visit(one)) for index, one in enumerate(planned))
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(visit, one): index for index, one in enumerate(planned)}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        except SteadyganError:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
