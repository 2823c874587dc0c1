"""Seeds: well scattered, separated by purpose."""

import torch

from steadygan.data.seeds import BLOCK, Purpose, generator_at, in_blocks, mix


def test_neighbours_do_not_collide_and_bits_are_balanced() -> None:
    seeds = [mix(1, seed, k) for seed in range(50) for k in range(200)]
    assert len({s % 2**32 for s in seeds}) >= len(seeds) - 2  # torch keeps the low 32 bits
    for bit in range(64):
        share = sum(s >> bit & 1 for s in seeds) / len(seeds)
        assert 0.47 < share < 0.53, bit


def test_one_flipped_input_bit_flips_half_the_output() -> None:
    flips = [(mix(3, 12345) ^ mix(3, 12345 ^ 1 << bit)).bit_count() for bit in range(64)]
    assert 28 < sum(flips) / len(flips) < 36
    assert min(flips) > 12


def test_purposes_are_separate_streams() -> None:
    draws = [torch.rand(4, generator=generator_at(p, 0, 0)).tolist() for p in Purpose]
    assert len({tuple(d) for d in draws}) == len(Purpose)


def test_negative_and_huge_seeds_work() -> None:
    assert mix(-1) == mix(2**64 - 1)
    generator_at(Purpose.SAMPLES, -5, 2**70)


def test_purposes_keep_their_numbers() -> None:
    """They are part of every stream: renumbering changes what a seed means."""
    assert [p.value for p in Purpose] == [1, 2, 3, 4, 5]
    assert [p.name for p in Purpose] == [
        "SAMPLES",
        "LATENTS",
        "ORDER",
        "AUGMENTATION",
        "REFERENCE",
    ]


def test_only_the_blocks_needed_are_made() -> None:
    made: list[int] = []

    def block(k: int) -> tuple[torch.Tensor]:
        made.append(k)
        return (torch.full((BLOCK,), k),)

    (x,) = in_blocks(2 * BLOCK - 1, BLOCK + 2, block)
    assert made == [1, 2, 3]
    assert x.tolist() == [1] + [2] * BLOCK + [3]
