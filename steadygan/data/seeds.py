"""Randomness as a function of place: (purpose, seed, block) -> a generator, so that nothing has to
be remembered.

A stream that is a pure function of (seed, position) resumes exactly from its position alone, can be
prepared ahead by a thread without changing it, and can be drawn in slices by several processes.
Random numbers come in blocks of ``BLOCK`` samples: block k is drawn whole from a fresh generator,
so any way to cut the stream gives the same samples.
"""

from collections.abc import Callable
from enum import IntEnum

import torch
from torch import Tensor

BLOCK = 64
"""Samples drawn from one generator; small, since drawing a single sample costs a whole block."""

_WORD = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15


class Purpose(IntEnum):
    """What random numbers are for: purposes never share a generator. Part of every stream."""

    SAMPLES = 1
    LATENTS = 2
    ORDER = 3
    AUGMENTATION = 4
    REFERENCE = 5


def mix(*words: int) -> int:
    """One well-scattered 64-bit number from several integers; their order matters.

    Each word is folded into the state, which then passes through the SplitMix64 finaliser (a
    bijection in which every input bit flips each output bit with probability near one half).

    Source: Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators, OOPSLA,
    Figure 12 (constants of Stafford's variant 13). Differs in chaining: theirs mixes one counter,
    ours one word after the other.

    >>> mix(0, 1) == mix(1, 0), mix(7) == mix(7), 0 <= mix(-1, 5) < 2**64
    (False, True, True)
    """
    state = 0
    for word in words:
        state = ((state ^ (word & _WORD)) + _GOLDEN) & _WORD
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _WORD
        state ^= state >> 31
    return state


def generator_at(purpose: Purpose, seed: int, *place: int) -> torch.Generator:
    """A fresh CPU generator for one place of one stream.

    torch's CPU generator keeps 32 bits of its seed, so two given blocks coincide with probability
    2^-32: a run of 100,000 steps at batch 64 expects about one block to come twice. That bends no
    statistic anyone could measure.
    """
    return torch.Generator().manual_seed(mix(purpose, seed, *place))


def in_blocks(
    position: int, num: int, block: Callable[[int], tuple[Tensor, ...]]
) -> tuple[Tensor, ...]:
    """Samples ``position .. position + num - 1`` of a stream whose k-th block is ``block(k)``.

    Args:
        position: number of the first sample, >= 0.
        num: how many samples, >= 1.
        block: k -> tensors of ``BLOCK`` rows each, the same for the same k.

    >>> (whole,) = in_blocks(0, 200, lambda k: (torch.arange(64) + 64 * k,))
    >>> (part,) = in_blocks(60, 10, lambda k: (torch.arange(64) + 64 * k,))
    >>> bool((part == whole[60:70]).all())
    True
    """
    first, start = divmod(position, BLOCK)
    last = (position + num - 1) // BLOCK
    if first == last:
        return tuple(part[start : start + num] for part in block(first))
    blocks = [block(k) for k in range(first, last + 1)]
    return tuple(torch.cat(parts)[start : start + num] for parts in zip(*blocks, strict=True))
