"""The same reals many times over."""

from collections.abc import Iterator

import torch
from torch import Tensor

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import Unassessed, found
from steadygan.doctor.preflight.preparation import Preparation

KIND = "preflight_duplicate_data"
_LEAST = 64
_DISTINCT = 0.5


def duplicate_data(preparation: Preparation) -> Iterator[Finding]:
    """Count the distinct among the drawn reals.

    A warning where fewer than half of at least 64 reals differ from all others, bit by bit. D
    learns so few samples by heart, and a diversity measured against them means little. Drawing 512
    with replacement, as a callable does, shows this only for data sets of fewer than about 320
    samples. Right for data that is discrete on purpose: a handful of points, one-hot vectors.
    """
    real = preparation.real[0]
    num = len(real)
    if num < _LEAST:
        raise Unassessed(f"needs {_LEAST} reals, got {num}")
    distinct = _num_distinct(real)
    if distinct == 1 or distinct >= _DISTINCT * num:
        return  # a single one is a matter of data_range
    yield found(
        KIND,
        "warning",
        f"only {distinct} of {num} drawn reals are distinct",
        signal="distinct_reals",
        observed=distinct,
        expected=f"at least {_DISTINCT * num:.0f}",
        causes=(
            "the data set is that small",
            "the loader draws the same samples again and again, or copies were added",
        ),
        remedies=("get more data", "augment the reals", "check what real returns"),
    )


def _num_distinct(x: Tensor) -> int:
    rows = x.detach().flatten(1).contiguous().cpu().view(torch.uint8).numpy()
    return len({row.tobytes() for row in rows})
