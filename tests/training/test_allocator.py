"""Keeping freed memory: the next large tensor reuses the pages of the last."""

import resource
import subprocess
import sys

import pytest

from steadygan.training.allocator import keep_freed_memory

FAULTS = """
import resource, torch
from steadygan.training.allocator import keep_freed_memory

assert keep_freed_memory()

def churn():
    for _ in range(5):  # ten held at once, freed from the last to the first, as backward frees them
        held = [torch.empty(2**22, dtype=torch.uint8).fill_(1) for _ in range(10)]
        while held:
            held.pop()

churn()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
churn()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_large_tensors_reuse_their_pages() -> None:
    command = [sys.executable, "-c", FAULTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2**22 // resource.getpagesize()  # the pages of one tensor, not of 50


def test_elsewhere_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
