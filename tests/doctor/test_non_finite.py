"""Not a number: at once, located, and forgiven only where a loss scaler is on record."""

import math

import pytest

from steadygan.doctor import Finding, Healthy, NonFinite, NotAssessed
from steadygan.doctor.findings import Opinion

NAN, INF = math.nan, math.inf


def last(*rows: dict[str, float]) -> Opinion:
    detector = NonFinite()
    for step, row in enumerate(rows, 1):
        opinion = detector.update({"step": step, **row})
    return opinion


def causes(**row: float) -> list[str]:
    found = last({"loss_d": 1.0}, row)
    assert isinstance(found, Finding)
    return [cause.text.split(":")[0] for cause in found.causes]


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_at_once_and_critical(value: float) -> None:
    found = last({"loss_d": 1.0}, {"loss_d": value, "loss_g": 2.0})
    assert isinstance(found, Finding)
    assert (found.step, found.severity) == (2, "critical")
    assert [(e.signal, e.sentence) for e in found.evidence] == [("loss_d", f"loss_d is {value}")]


def test_lasts_until_the_signal_is_finite_again_not_until_the_next_row() -> None:
    broken, other = {"coverage": NAN, "loss_d": 1.0}, {"loss_d": 1.0}
    assert isinstance(last(broken, other, other), Finding)
    assert last(broken, other, {"coverage": 0.5, "loss_d": 1.0}) == Healthy(3)


def test_onset_is_the_first_of_an_unbroken_chain() -> None:
    found = last({"loss_d": 1.0}, {"loss_d": NAN}, {"loss_d": 1.0, "loss_g": NAN}, {"loss_g": NAN})
    assert isinstance(found, Finding)
    assert found.step == 2
    assert [e.signal for e in found.evidence] == ["loss_g"]
    again = last({"loss_d": NAN}, {"loss_d": 1.0}, {"loss_d": NAN})
    assert isinstance(again, Finding)
    assert again.step == 3


def test_large_numbers_are_numbers() -> None:
    assert last({"loss_d": 1e308, "loss_g": 1e308}) == Healthy(1)


def test_nothing_recorded() -> None:
    assert isinstance(last({}), NotAssessed)


def test_the_first_link_of_the_chain_is_named() -> None:
    assert causes(coverage=NAN, loss_d=1.0) == ["the generator's weights or samples are not finite"]
    assert causes(logit_real=INF, loss_d=NAN, r1=NAN, grad_norm_d=NAN) == [
        "D's logits are not finite"
    ]
    assert causes(r1=INF, loss_d=1.0, grad_norm_d=NAN) == [
        "the gradient inside a penalty overflowed"
    ]
    assert causes(loss_g=NAN, logit_fake=2.0) == ["a loss overflowed on finite logits"]
    assert causes(loss_g=1.0, grad_norm_g=NAN) == ["the gradient of a finite loss is not finite"]


def test_a_recorded_loss_scaler_may_overflow_twice_in_twenty() -> None:
    good = {"loss_d": 1.0, "grad_norm_d": 1.0, "loss_scale_d": 4096.0}
    bad = good | {"grad_norm_d": INF}
    assert last(good, bad, good, bad) == Healthy(4)
    assert isinstance(last(good, bad, bad, bad), Finding)
    assert last(bad, bad, *[good] * 20, bad, bad) == Healthy(24)
    assert isinstance(last(good, good | {"loss_d": NAN}), Finding)


def test_without_a_recorded_scaler_nothing_is_forgiven() -> None:
    assert isinstance(last({"loss_d": 1.0, "grad_norm_d": INF}), Finding)
