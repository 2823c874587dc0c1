"""The result contract: a number with its error bar that converts to float and to JSON."""

import json
import math
from dataclasses import FrozenInstanceError, dataclass

import pytest
import torch

from steadygan.metrics import Result


@dataclass(frozen=True, kw_only=True)
class WithMore(Result):
    """A result with a number and a tensor of its own."""

    extra: float
    rows: torch.Tensor


def test_converts_to_float_and_counts_the_smaller_set() -> None:
    found = Result(value=1.5, n_fake=10, n_real=7)
    assert (float(found), found.n, found.interval, found.warnings) == (1.5, 7, None, ())
    assert Result(value=1.5, n_fake=10).n == 10


def test_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Result(value=1.0, n_fake=1).value = 2.0  # type: ignore[misc]  # that is the test


def test_json_holds_numbers_only_and_no_infinity() -> None:
    found = WithMore(
        value=math.inf, n_fake=3, interval=(1.0, math.inf), extra=2.0, rows=torch.ones(3)
    )
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) == {
        "value": None,
        "n_fake": 3,
        "n_real": 0,
        "interval": [1.0, None],
        "warnings": [],
        "extra": 2.0,
    }
