"""One of two processes that train together; prints a hash of all that it ends with."""

import hashlib
import json
import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
import torch.distributed as dist
from conformance.watched import attach, everything, standard, update_d, update_g
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


class SyncedNorm(nn.Module):
    """Centres a batch over all processes, as SyncBatchNorm does where there are accelerators."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.detach().mean(dim=0)
        dist.all_reduce(mean)
        return x - mean / 2


def main(style: str, watched: bool, store: str) -> None:
    rank = int(os.environ["RANK"])
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    patient = standard()
    if style == "synced_norm":
        patient.g.append(SyncedNorm())
    patient.g = DistributedDataParallel(patient.g)
    patient.d = DistributedDataParallel(patient.d)
    torch.manual_seed(rank)  # each process sees its own batches
    sees = watched and (style != "first_rank_watches" or rank == 0)
    monitor = attach(patient, budget=0.02) if sees else None
    with monitor if monitor is not None else nullcontext():
        for _ in range(12):
            loss = update_d(patient)
            if style == "all_ranks_log" and monitor is not None:
                monitor.log(loss_d=loss)
            update_g(patient)
            time.sleep(0.001 * rank)
    bits = hashlib.sha256(repr(list(everything(patient))).encode()).hexdigest()
    rows = None if monitor is None or style == "all_ranks_log" else len(monitor.record)
    sys.stdout.write(json.dumps({"bits": bits, "rows": rows}) + "\n")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "True", sys.argv[3])
