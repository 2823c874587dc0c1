"""Exactly 0, again and again, from the start: a broken connection; later or on purpose it is something else."""

import pytest

from steadygan.doctor import Finding, Healthy, Miswired, NotAssessed, Opinion
from steadygan.types import Player


def replay(player: Player, rows: list[dict[str, float]]) -> list[Opinion]:
    detector = Miswired(player)
    return [detector.update({"step": step, **row}) for step, row in enumerate(rows, 1)]


@pytest.mark.parametrize("player", ["g", "d"])
def test_no_gradient_from_the_start(player: Player) -> None:
    found = replay(player, [{f"grad_norm_{player}": 0.0}] * 12)
    assert [type(o) for o in found] == [NotAssessed] * 9 + [Finding] * 3
    assert isinstance(found[-1], Finding)
    assert (found[-1].kind, found[-1].severity, found[-1].step) == ("miswired", "critical", 1)
    assert "exactly 0 in all 12 rows" in found[-1].evidence[0].sentence


@pytest.mark.parametrize("player", ["g", "d"])
def test_a_gradient_that_moves_nothing(player: Player) -> None:
    row = {f"grad_norm_{player}": 1.0, f"lr_{player}": 1e-3}
    moving = row | {f"update_ratio_{player}": 1e-3}
    still = row | {f"update_ratio_{player}": 0.0}
    found = replay(player, [moving, still, still, still])
    assert [type(o) for o in found] == [Healthy] * 3 + [Finding]
    assert isinstance(found[-1], Finding)
    assert found[-1].step == 2
    assert "optimizer holds other parameters" in found[-1].causes[0].text
    assert isinstance(replay(player, [still] * 5 + [moving])[-1], Healthy)


@pytest.mark.parametrize(
    "rows",
    [
        [{"grad_norm_d": 1.0}] + [{"grad_norm_d": 0.0}] * 50,  # a hinge loss with all margins met
        [{"grad_norm_d": 1.0, "update_ratio_d": 0.0, "lr_d": 0.0}] * 50,  # switched off on purpose
        [{"grad_norm_d": 1e-30}] * 50,  # tiny is not 0
        [{"grad_norm_d": 1.0}] + [{"grad_norm_d": 1e-9, "update_ratio_d": 0.0}] * 50,  # rounding
        [{"grad_norm_d": 1.0}] + [{"grad_norm_d": 0.0, "update_ratio_d": 0.0}] * 50,
        [{"grad_norm_d": 1.0, "update_ratio_d": float(n % 3)} for n in range(50)],
    ],
)
def test_what_looks_like_it(rows: list[dict[str, float]]) -> None:
    assert isinstance(replay("d", rows)[-1], Healthy)


def test_without_gradients_it_is_not_assessed() -> None:
    for row in ({"loss_d": 1.0}, {"grad_norm_d": float("nan")}, {"update_ratio_d": 0.0}):
        assert all(isinstance(o, NotAssessed) for o in replay("d", [row] * 20))
