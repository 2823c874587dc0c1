"""The consumer of a source: this process's next batch, prepared ahead where that saves time."""

import math
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from steadygan.data.latent import Latent
from steadygan.data.source import Source
from steadygan.errors import ConfigError, DataError
from steadygan.types import Batch, StateDict

_WORTH_A_THREAD = 2**20  # bytes a batch; below, handing over a batch costs more than making it
_AHEAD = 2


class Stream:
    """Batches without end: ``stream()`` is the next one of this process.

    Batch t of the whole training holds samples t·batch .. (t + 1)·batch - 1 of the source and as
    many latents; each process draws its contiguous slice. Everything is a function of (seed,
    position), so the state is one number, and preparing batches ahead in a thread cannot change
    them. Not to be called from two threads.

    Args:
        source: where samples come from.
        latent: the prior of G's input.
        batch: samples in the global batch, over all processes; divisible by ``world``.
        seed: which stream of source and latent.
        rank: number of this process, from 0.
        world: how many processes there are.
        device: where batches go. On CUDA they pass through pinned memory, without waiting, on the
            device's default stream: consume them on that stream.
        channels_last: memory layout of images.
        prefetch: batches prepared ahead by one background thread; 0 for none, None to choose: none
            for batches under 1 MiB, else 2.

    Raises:
        ConfigError: if a number is out of range. DataError: if the source holds fewer samples than
            one batch.
        An error while preparing a batch surfaces from the call that would have returned it.

    >>> from steadygan.data.synthetic.ring import Ring
    >>> stream = Stream(Ring(), Latent(4), batch=8, seed=0)
    >>> first = stream()
    >>> stream.load_state_dict({"position": 0})
    >>> bool((stream().x == first.x).all())
    True
    """

    def __init__(
        self,
        source: Source,
        latent: Latent,
        batch: int,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        device: torch.device | str = "cpu",
        channels_last: bool = False,
        prefetch: int | None = None,
    ) -> None:
        _check(source, batch, rank, world, prefetch)
        self.source, self.latent, self.seed = source, latent, seed
        self.batch, self.rank, self.world = batch, rank, world
        self.device = torch.device(device)
        self.channels_last = channels_last and len(source.event) == 3
        num_bytes = 4 * (batch // world) * (math.prod(source.event) + latent.dim)
        default = 0 if num_bytes < _WORTH_A_THREAD else _AHEAD
        self.prefetch = default if prefetch is None else prefetch
        self.position = 0
        self._ahead: deque[Future[Batch]] = deque()
        self._thread: ThreadPoolExecutor | None = None

    def __call__(self) -> Batch:
        """The next batch of this process.

        Shape: x (batch / world, *event), z (batch / world, latent.dim), y (batch / world,) or None.
        """
        batch = self._prefetched() if self.prefetch else self.at(self.position)
        self.position += 1
        return batch

    def at(self, position: int) -> Batch:
        """Batch number ``position`` of this process, without moving the stream."""
        num = self.batch // self.world
        first = position * self.batch + self.rank * num
        x, y = self.source.draw(first, num, seed=self.seed)
        z = self.latent.sample(num, seed=self.seed, position=first)
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        if self.device.type == "cpu":
            return Batch(x, z, y)
        return Batch(self._moved(x), self._moved(z), None if y is None else self._moved(y))

    def state_dict(self) -> StateDict:
        """The number of batches consumed; those prepared ahead do not count."""
        return {"position": self.position}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue after ``state["position"]`` batches."""
        self.close()
        self.position = int(state["position"])

    def close(self) -> None:
        """Stop the thread and drop what it prepared; a later call starts it again."""
        self._ahead.clear()
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)
            self._thread = None

    def _prefetched(self) -> Batch:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="steadygan-data")
        while len(self._ahead) <= self.prefetch:
            self._ahead.append(self._thread.submit(self.at, self.position + len(self._ahead)))
        try:
            batch = self._ahead[0].result()
        except BaseException:
            self.close()  # a retry must make this batch anew, and those behind it
            raise
        self._ahead.popleft()
        return batch

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        if self.device.type != "cuda":
            return tensor.to(self.device)
        return tensor.pin_memory().to(self.device, non_blocking=True)


def _check(source: Source, batch: int, rank: int, world: int, prefetch: int | None) -> None:
    if batch < 1 or world < 1 or batch % world:
        raise ConfigError(
            f"Stream.batch must be a positive multiple of world, got batch={batch} for "
            f"world={world}; batch counts the samples of all processes together."
        )
    if not 0 <= rank < world:
        raise ConfigError(f"Stream.rank must be in 0..{world - 1}, got {rank}; ranks count from 0.")
    if prefetch is not None and prefetch < 0:
        raise ConfigError(
            f"Stream.prefetch must be >= 0, got {prefetch}; 0 prepares nothing ahead."
        )
    if source.size is not None and source.size < batch:
        raise DataError(
            f"{type(source).__name__} holds {source.size} samples, fewer than one batch of "
            f"{batch}; use batch <= {source.size} or more data."
        )
