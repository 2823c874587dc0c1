"""What a training runs on: one process, or several through Lightning Fabric, behind one small interface.

Every process draws the same global batch and keeps its slice; gradients are averaged; so n processes take the steps
that one process takes, up to rounding (and, for batch norm on a CPU, up to per-process statistics).
"""

import logging
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from steadygan.errors import ConfigError, RankError


class Engine:
    """One process on one device; also the interface of the others.

    Attributes:
        device: where networks and batches live.
        rank, world: this process's number and how many there are.
    """

    def __init__(self, device: str = "auto") -> None:
        self.device = _device(device)
        self.rank = 0
        self.world = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and talks to people."""
        return self.rank == 0

    def prepare(self, network: nn.Module) -> nn.Module:
        """Move a network to the device, ready for several processes."""
        return network.to(self.device)

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the processes; nothing to do for one."""

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return flag

    def check_consistency(self, step: int, networks: Sequence[nn.Module]) -> None:
        """Raise in every process if their weights differ.

        Raises:
            RankError: naming the ranks that differ from rank 0.
        """

    def barrier(self) -> None:
        """Wait for the other processes."""


class FabricEngine(Engine):
    """Several processes on this or several machines; works under ``torchrun`` and starts its own otherwise.

    Args:
        devices: processes on each machine, one device each.
        nodes: machines.
        device: "cpu", "cuda" or "auto".
        timeout_s: a collective that waits longer ends with an error instead of hanging [s].

    Raises:
        ConfigError: where Lightning Fabric is not installed.
    """

    def __init__(
        self, *, devices: int, nodes: int = 1, device: str = "auto", timeout_s: float = 300.0
    ) -> None:
        try:
            from lightning_fabric import Fabric
            from lightning_fabric.strategies.ddp import DDPStrategy
        except ImportError as error:
            raise ConfigError(
                "more than one device needs Lightning Fabric; pip install 'steadygan[distributed]'."
            ) from error
        logging.getLogger("lightning.fabric").setLevel(
            logging.WARNING
        )  # its banner is not ours to print
        self._fabric: Any = Fabric(
            accelerator=_device(device).type,
            devices=devices,
            num_nodes=nodes,
            strategy=DDPStrategy(timeout=timedelta(seconds=timeout_s)),
        )
        self._fabric.launch()
        self.device = self._fabric.device
        self.rank = self._fabric.global_rank
        self.world = self._fabric.world_size

    def prepare(self, network: nn.Module) -> nn.Module:
        """Batch norm over all processes where the device can; then as in one process."""
        if self.device.type == "cuda":
            convert: Callable[[nn.Module], nn.Module] = nn.SyncBatchNorm.convert_sync_batchnorm
            network = convert(network)
        return super().prepare(network)

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """One all-reduce over everything, flattened: many small ones would cost a round trip each."""
        flat = torch.cat([t.reshape(-1) for t in tensors])
        flat = self._fabric.all_reduce(flat, reduce_op="mean")
        parts = flat.split([t.numel() for t in tensors])
        torch._foreach_copy_(
            list(tensors), [p.view(t.shape) for p, t in zip(parts, tensors, strict=True)]
        )

    def any(self, flag: bool) -> bool:
        """One all-reduce of a number."""
        total: Tensor = self._fabric.all_reduce(
            torch.tensor(float(flag), device=self.device), reduce_op="sum"
        )
        return bool(total > 0)

    def check_consistency(self, step: int, networks: Sequence[nn.Module]) -> None:
        """Compare two float64 digests of all weights; buffers may differ (batch norm per process)."""
        weights = [p.detach().double() for network in networks for p in network.parameters()]
        sums = torch.stack([torch.stack([w.sum(), w.square().sum()]) for w in weights])
        digest = sums.sum(dim=0)
        every: Tensor = self._fabric.all_gather(digest).reshape(self.world, -1)
        # nan_to_num: two processes that are both NaN agree; the guard against NaN is elsewhere.
        differs = (every.nan_to_num() != every[:1].nan_to_num()).any(dim=1)
        if bool(differs.any()):
            ranks = differs.nonzero().flatten().tolist()
            raise RankError(
                f"step {step}: the weights of rank {', '.join(map(str, ranks))} differ from rank 0's; "
                "check for randomness outside torch's seeded generators, then resume from the last checkpoint."
            )

    def barrier(self) -> None:
        """Wait for the other processes."""
        self._fabric.barrier()


def make_engine(device: str = "auto", *, devices: int = 1, nodes: int = 1) -> Engine:
    """One process where that is enough, else Fabric; under ``torchrun``, the processes it started."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    if devices == 1 and nodes == 1:
        return Engine(device)
    return FabricEngine(device=device, devices=devices, nodes=nodes)


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigError(f"device must be auto, cpu, cuda or cuda:N, got {name!r}.") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            f"device {name!r} needs a GPU that torch can see; none is there, use device=cpu."
        )
    return device
