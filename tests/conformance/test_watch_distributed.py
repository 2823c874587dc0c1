"""Networks inside DistributedDataParallel, in one process and in two."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from conformance.watched import (
    Make,
    Patient,
    check_all,
    standard,
    update_g,
)
from torch.nn.parallel import DistributedDataParallel

from steadygan.monitor import Monitor

WORKER = Path(__file__).with_name("parallel_worker.py")


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def distributed(**settings: Any) -> Make:
    def make() -> Patient:
        patient = standard()
        patient.g = DistributedDataParallel(patient.g, **settings)
        patient.d = DistributedDataParallel(patient.d, **settings)
        return patient

    return make


def accumulated_without_sync() -> Patient:
    patient = distributed()()

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        p.opt_d.zero_grad()
        with p.d.no_sync():
            p.d(p.g(torch.randn(16, 4)).detach()).mean().backward()
        (-p.d(torch.randn(16, 2)).mean()).backward()
        p.opt_d.step()
        update_g(p)

    patient.iterate = iterate
    return patient


@pytest.mark.parametrize(
    "make",
    [
        distributed(),
        distributed(gradient_as_bucket_view=True),
        distributed(static_graph=True),
        accumulated_without_sync,
    ],
    ids=["plain", "bucket views", "static graph", "no_sync"],
)
@pytest.mark.usefixtures("one_process")
def test_distributed_in_one_process(make: Make) -> None:
    check_all(make)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["plain", "all_ranks_log", "first_rank_watches", "synced_norm"])
def test_distributed_in_two_processes(style: str, tmp_path: Path) -> None:
    def bits(*, watched: bool) -> list[str]:
        store = tmp_path / f"{watched}"
        env = {**os.environ, "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2"}
        command = [sys.executable, str(WORKER), style, str(watched), str(store)]
        processes = [
            subprocess.Popen(
                command,
                env=env | {"RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]
        found = []
        for process in processes:
            try:
                out, err = process.communicate(timeout=120)
            finally:
                process.kill()
            assert process.returncode == 0, err
            found.append(json.loads(out.splitlines()[-1]))
        assert all(f["rows"] == 12 for f in found if f["rows"] is not None)
        return [f["bits"] for f in found]

    assert bits(watched=True) == bits(watched=False)
