"""Residual blocks against the order of operations in the paper."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from steadygan.networks.layers import DownBlock, UpBlock


def up(h: torch.Tensor) -> torch.Tensor:
    return h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


@pytest.mark.parametrize("norm", ["batch", "instance", "layer", "none"])
def test_up_block_equals_the_papers_order(norm: str) -> None:
    torch.manual_seed(0)
    block = UpBlock(4, 3, norm).double()
    h = torch.randn(2, 4, 5, 5, dtype=torch.float64)
    before = h.clone()
    r = block.conv_1(up(functional.relu(block.norm_1(h))))
    r = block.conv_2(functional.relu(block.norm_2(r)))
    torch.testing.assert_close(block(h), r + block.shortcut(up(h)))
    assert torch.equal(h, before)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("norm", ["batch", "instance", "layer", "none"])
def test_down_block_equals_the_papers_order(norm: str, first: bool) -> None:
    torch.manual_seed(0)
    block = DownBlock(4, 3, norm, first=first).double()
    h = torch.randn(2, 4, 6, 6, dtype=torch.float64)
    before = h.clone()
    r = block.conv_1(h if first else functional.relu(block.norm_1(h)))
    r = functional.avg_pool2d(block.conv_2(functional.relu(block.norm_2(r))), 2)
    torch.testing.assert_close(block(h), r + functional.avg_pool2d(block.shortcut(h), 2))
    assert torch.equal(h, before)


def test_equal_widths_without_halving_keep_the_identity() -> None:
    block = DownBlock(4, 4, "none", halve=False)
    nn.init.zeros_(block.conv_2.weight)
    h = torch.randn(2, 4, 5, 5)
    assert block.shortcut is None
    assert torch.equal(block(h), h)
