"""The checks under test are on, and see what they should: a wrong size anywhere in a call is an error."""

from dataclasses import dataclass
from typing import ClassVar

import jaxtyping
import pytest
import shape_checks
import torch
from jaxtyping import Float, TypeCheckError
from torch import Tensor

from steadygan.objectives import LeastSquares, Minimax

checked = shape_checks.jaxtyped(typechecker=shape_checks.checked)


@checked
def joined(a: Float[Tensor, "n d"], b: Float[Tensor, "n d"]) -> Float[Tensor, "n 2*d"]:
    return torch.cat((a, b), dim=1)


@checked
def halved(a: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    return a[: len(a) // 2]


@checked
def twice(number: float) -> int:  # a result that is no int is the mistake to be found
    return number * 2


@checked
def both(a: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    joined(torch.zeros(7, 5), torch.zeros(7, 5))  # its n and d are not those of here
    return a


@checked
def quoted(number: "int") -> "int":
    return number


@checked
@dataclass
class Pair:
    a: Float[Tensor, "n"]
    b: Float[Tensor, "n"]
    made: ClassVar[int] = 0

    @checked
    @property
    def first(self) -> float:
        return str(self.a)

    @checked
    @classmethod
    def of(cls, a: Float[Tensor, "n"]) -> "Pair":
        return cls(a, a)

    @checked
    @staticmethod
    def sized(a: Float[Tensor, "3"]) -> int:
        return len(a)


def zeros(*size: int) -> Tensor:
    return torch.zeros(*size)


def test_what_fits_passes() -> None:
    assert joined(zeros(2, 3), zeros(2, 3)).shape == (2, 6)
    assert joined(zeros(4, 1), zeros(4, 1)).shape == (4, 2)  # other sizes in another call
    assert both(zeros(2, 3)).shape == (2, 3)
    assert Pair(zeros(2), zeros(2)).a.shape == (2,)
    assert Pair.of(zeros(3)).b.shape == (3,)
    assert Pair.sized(zeros(3)) == 3
    assert quoted(twice(3)) == 6


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: joined(zeros(2, 3), zeros(2, 4)),
        lambda: joined(zeros(2, 3), b=zeros(3, 3)),
        lambda: joined(zeros(2), zeros(2)),
        lambda: joined(zeros(2, 3), zeros(2, 3).long()),
        lambda: halved(zeros(4, 2)),
        lambda: both(zeros(4)),
        lambda: twice("3"),
        lambda: twice(1.5),
        lambda: quoted("3"),
        lambda: Pair(zeros(2), zeros(3)),
        lambda: Pair(zeros(2), zeros(2)).first,
        lambda: Pair.of(zeros(2, 2)),
        lambda: Pair.sized(zeros(4)),
    ],
)
def test_what_does_not_fit_is_an_error(wrong) -> None:
    with pytest.raises(TypeCheckError):
        wrong()


def test_the_package_is_checked() -> None:
    assert jaxtyping.jaxtyped is shape_checks.jaxtyped
    with pytest.raises(TypeCheckError):
        Minimax().d_loss(zeros(3), zeros(3).long())
    with pytest.raises(TypeCheckError):
        LeastSquares("0")
