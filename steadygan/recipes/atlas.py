"""Making an atlas: a folder with its plan, workers that take lots, and the map of what they found."""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from steadygan.atlas.campaign import Result, play
from steadygan.atlas.ensemble import SLOTS
from steadygan.atlas.family import Member
from steadygan.atlas.lots import Lots, lives
from steadygan.atlas.outcome_map import OutcomeMap, Scale
from steadygan.errors import ConfigError, SteadyganError
from steadygan.recipes.axes import Axis
from steadygan.recipes.families import make_family, make_member
from steadygan.recipes.line import FILE, Say, predict_lines, read_lines, write_lines
from steadygan.recipes.plan import Plan, Training, trainings_by_lot
from steadygan.recipes.sources import dump_recipe, load_recipe
from steadygan.training.directory import write_whole

PLAN, LOTS = "atlas.json", "lots"
_VECTOR = 8  # slots come in whole vectors: kernels sum a torn one in another order

Progress = Callable[[int, int], None]
"""Called with the steps of single games made so far, and those there are."""


def begin(plan: Plan, folder: Path) -> None:
    """Make the folder of a new atlas; every cell's recipe is checked first.

    Raises:
        ConfigError: for a cell that cannot be trained, or a folder that holds an atlas.
    """
    if (folder / PLAN).exists():
        raise ConfigError(
            f"{folder} already holds an atlas; go on with `steadygan atlas --resume {folder}` or choose "
            "another --out."
        )
    for trainings in plan.families:
        family = make_family(trainings[0].recipe)
        for training in trainings:
            make_member(training.recipe, training.number, family)
    (folder / LOTS).mkdir(parents=True, exist_ok=True)
    write_whole(folder / "recipe.yaml", dump_recipe(load_recipe(plan.recipe)))
    plan.save(folder / PLAN)


def work(folder: str | Path, device: str = "cpu", progress: Progress | None = None) -> None:
    """Take lots and work them off until none is left; any number of processes may do so at once.

    Args:
        folder: the atlas, on a disk that all of them see.
        device: where this process computes.
        progress: told after every stretch.
    """
    folder = Path(folder)
    torch.set_flush_denormal(True)
    torch.set_num_threads(1)  # two processes on two cores beat two threads by far
    plan, shared = Plan.load(folder / PLAN), Lots(folder / LOTS)
    _Worker(plan, shared, folder, device, progress).go()


def run(
    folder: str | Path,
    *,
    jobs: int | None = None,
    devices: tuple[str, ...] = ("cpu",),
    progress: Progress | None = None,
    line: bool = True,
    say: Say = lambda text: None,
) -> OutcomeMap:
    """Work off what is left of an atlas with several processes, and draw the map.

    A map that is complete gets the line that theory predicts, once: it is kept in ``line.json``.

    Args:
        folder: made by ``begin``.
        jobs: processes on each device; None: one a core on a CPU, one on an accelerator.
        devices: where; ``("cuda:0", "cuda:1")`` for two accelerators.
        progress: told how far it is.
        line: whether to predict the line, which costs up to a minute for each objective.
        say: told what is done after the trainings.

    Raises:
        SteadyganError: where a worker failed.
    """
    folder = Path(folder)
    plan = Plan.load(folder / PLAN)
    places = [
        device
        for device in devices
        for _ in range(jobs or (len(os.sched_getaffinity(0)) if device == "cpu" else 1))
    ][: len(plan.lots)]
    _forget_the_dead(folder / LOTS)
    if len(places) == 1:
        work(folder, places[0], progress)
    else:
        _together(folder, places, plan, progress)
    if line and not (folder / FILE).exists() and (found := read_map(folder)).complete:
        write_lines(folder / FILE, *predict_lines(plan, found, say))
    return write_map(folder)


def read_map(folder: str | Path) -> OutcomeMap:
    """The map of what has been handed in so far; cells without results are unknown."""
    folder = Path(folder)
    plan = Plan.load(folder / PLAN)
    found = Lots(folder / LOTS).results()
    trainings = {t.number: t for t in plan.trainings}
    predictions, remarks = read_lines(folder / FILE)
    return OutcomeMap.of(
        name=str(plan.recipe["name"]),
        x=_scale(plan.x),
        y=_scale(plan.y) if plan.y else None,
        objectives=plan.objectives,
        seeds=plan.seeds[1],
        steps=int(plan.recipe["steps"]),
        shrunk=plan.shrunk,
        rows=[_placed(trainings[number], row, plan) for number, row in sorted(found.items())],
        predictions=predictions,
        remarks=remarks,
    )


def _scale(axis: Axis) -> Scale:
    return Scale(axis.key, axis.values, axis.log)


def write_map(folder: Path) -> OutcomeMap:
    """The map of what has been handed in so far, written into the folder."""
    found = read_map(folder)
    write_files(found, folder)
    return found


def write_files(found: OutcomeMap, folder: Path) -> None:
    """``map.json``, ``map.png`` and ``map.html``."""
    from steadygan.atlas.page import write_page
    from steadygan.atlas.picture import write_picture

    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "map.json", json.dumps(found.to_dict(), indent=1) + "\n")
    write_picture(found, folder / "map.png")
    write_page(found, folder / "map.html")


def _placed(training: Training, row: dict[str, Any], plan: Plan) -> dict[str, Any]:
    place = {"x": training.x, "y": training.y, "objective": training.objective}
    return {**row, **place, "seed": training.seed - plan.seeds[0]}


class _Worker:
    """One process: claims lots family by family, keeps its slots full, hands in what is complete."""

    def __init__(
        self, plan: Plan, shared: Lots, folder: Path, device: str, progress: Progress | None
    ) -> None:
        self.plan, self.shared, self.device, self.progress = plan, shared, device, progress
        self._counter = folder / LOTS / f"{os.uname().nodename}-{os.getpid()}.steps"
        self._lot_of: dict[int, int] = {}
        self._left: dict[int, int] = {}
        self._rows: dict[int, list[dict[str, Any]]] = {}
        self._made = 0
        self._written_at = 0.0

    def go(self) -> None:
        """All families, again and again as long as lots are free: another's, if it dies, are free again."""
        try:
            while any([self._family(*family) for family in enumerate(self.plan.families)]):
                pass
        finally:
            self._counter.unlink(missing_ok=True)

    def _family(self, number: int, trainings: list[Training]) -> bool:
        """Work off the family's lots that are free; whether there was one."""
        if all(self.shared.is_done(lot) for lot, _ in trainings_by_lot(self.plan, number)):
            return False
        family, before = make_family(trainings[0].recipe), len(self._lot_of)

        def supply() -> Iterator[Member]:
            for lot, taken in trainings_by_lot(self.plan, number):
                if self.shared.claim(lot):
                    self._rows[lot], self._left[lot] = [], len(taken)
                    for training in taken:
                        self._lot_of[training.number] = lot
                        yield make_member(training.recipe, training.number, family)

        settings = trainings[0].recipe.probe
        results = play(
            family,
            supply(),
            slots=min(SLOTS, -(-len(trainings) // _VECTOR) * _VECTOR),
            look_every=settings.every or 100,
            num=settings.num,
            device=self.device,
            compiled=self.plan.compiles(number),
            on_stretch=self._on_stretch,
        )
        for result in results:
            self._note(result)
        return len(self._lot_of) > before

    def _note(self, result: Result) -> None:
        lot = self._lot_of[result.number]
        self._rows[lot].append(result.to_dict())
        self._left[lot] -= 1
        if not self._left[lot]:
            self.shared.hand_in(lot, self._rows.pop(lot))
            del self._left[lot]
        # What an exploded member did not need to do counts as done.
        self._made += int(self.plan.recipe["steps"]) - result.steps

    def _on_stretch(self, steps: int) -> None:
        self._made += steps
        if time.monotonic() - self._written_at < 1.0 and self.progress is None:
            return
        self._written_at = time.monotonic()
        self.shared.touch(list(self._left))
        self._counter.write_text(str(self._made))
        if self.progress is not None:
            self.progress(*_how_far(self.plan, self.shared))


def _how_far(plan: Plan, shared: Lots) -> tuple[int, int]:
    """Steps made by the workers that are at it, and what was handed in before they began."""
    counted = 0
    for path in shared.folder.glob("*.steps"):
        text = path.read_text()
        counted += int(text) if text.isdigit() else 0
    return counted, plan.num_steps


def _forget_the_dead(folder: Path) -> None:
    """Counters of processes of this machine that were killed would count their steps twice."""
    for path in folder.glob("*.steps"):
        host, _, pid = path.stem.rpartition("-")
        if host == os.uname().nodename and not lives(int(pid)):
            path.unlink(missing_ok=True)


def _together(folder: Path, places: list[str], plan: Plan, progress: Progress | None) -> None:
    """Processes of our own, one a place; an error in one ends all."""
    context = multiprocessing.get_context("spawn")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workers = [context.Process(target=work, args=(str(folder), place)) for place in places]
    shared = Lots(folder / LOTS)
    before = len(shared.results()) * int(plan.recipe["steps"])
    for worker in workers:
        worker.start()
    try:
        while any(worker.is_alive() for worker in workers):
            time.sleep(0.3)
            if progress is not None:
                made, total = _how_far(plan, shared)
                progress(min(before + made, total), total)
            failed = [w for w in workers if w.exitcode not in (None, 0)]
            if failed:
                raise SteadyganError(
                    f"a worker of the atlas failed with exit code {failed[0].exitcode}; what is done is kept, "
                    f"go on with `steadygan atlas --resume {folder}`."
                )
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
            worker.join()
