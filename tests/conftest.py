"""Every test starts from the same seed, on one thread, with denormals flushed as in training."""

import pytest
import shape_checks
import torch

shape_checks.install()


@pytest.fixture(autouse=True)
def _deterministic() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
