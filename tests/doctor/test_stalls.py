"""Kinds that rest on a stall: stagnation, over- and underpowered discriminators, vanishing gradients."""

import math

import pytest

from steadygan.doctor import (
    Detector,
    DiscriminatorOverpowering,
    DiscriminatorUnderpowered,
    Finding,
    Healthy,
    NotAssessed,
    Opinion,
    Stagnation,
    VanishingGradient,
)
from steadygan.doctor.progress import Progress

EVERY = 10


def opinions(
    detector: Detector, probes: list[dict[str, float]], **every_row: float
) -> list[Opinion]:
    """The opinion at each probe; rows without a probe lie between them."""
    found = []
    for number, probe in enumerate(probes, 1):
        for step in range(EVERY * (number - 1) + 1, EVERY * number):
            assert isinstance(detector.update({"step": step, **every_row}), NotAssessed)
        found.append(detector.update({"step": EVERY * number, **every_row, **probe}))
    return found


def probes(num: int, **signals: float) -> list[dict[str, float]]:
    return [dict(signals)] * num


def last(detector: Detector, given: list[dict[str, float]], **every_row: float) -> Finding:
    opinion = opinions(detector, given, **every_row)[-1]
    assert isinstance(opinion, Finding)
    return opinion


FAR = {"energy_distance": 0.5}
NEAR = {"energy_distance": 0.01}
FALLING = [{"energy_distance": 2.0 * 0.97**n} for n in range(40)]
CREEPING = [{"energy_distance": 2.0 * 0.999**n} for n in range(40)]


def test_a_stall_needs_ten_probes_and_a_fifth_of_the_run() -> None:
    short, long = Progress(), Progress()
    for n in range(11):
        assert not short.stalled
        short.update({"step": n, **FAR})
    assert short.stalled
    for n in range(100):
        long.update({"step": n, "energy_distance": 2.0 * 0.98**n})
    plateau = 2.0 * 0.98**99
    waited = 0
    while not long.stalled:
        waited += 1
        long.update({"step": 100 + waited, "energy_distance": plateau})
    assert 0.2 * 100 <= waited <= 0.3 * 100


def test_slow_is_not_stalled_and_near_is_not_far() -> None:
    for series in (FALLING, CREEPING, probes(40, **NEAR)):
        progress = Progress()
        for n, row in enumerate(series):
            progress.update({"step": n, **row})
            assert not progress.stalled


def test_a_stall_counts_from_when_the_samples_left_the_data() -> None:
    progress = Progress()
    for n, row in enumerate([*probes(30, **NEAR), *probes(6, **FAR)]):
        progress.update({"step": n, **row})
    assert progress.is_far
    assert not progress.stalled


@pytest.mark.parametrize("area", [0.95, 0.55])
def test_stagnation_is_critical_only_where_the_game_agrees(area: float) -> None:
    finding = last(Stagnation(), probes(45, **FAR, auc=area))
    assert finding.severity == ("critical" if area > 0.9 else "warning")
    assert finding.step == EVERY


def test_a_slow_start_is_a_warning_first() -> None:
    finding = last(Stagnation(), probes(15, **FAR, auc=0.95))
    assert finding.severity == "warning"


def test_stagnation_without_auc_and_after_the_schedule_is_a_warning() -> None:
    assert last(Stagnation(), probes(45, **FAR)).severity == "warning"
    over = last(Stagnation(), probes(45, **FAR, auc=0.99), lr_g=0.0)
    assert over.severity == "warning"
    assert over.causes[0].text == "the generator's learning rate is 0"


def test_what_was_good_once_is_not_stagnant() -> None:
    found = opinions(Stagnation(), [*probes(10, **NEAR), *probes(40, **FAR)])
    assert all(isinstance(o, Healthy) for o in found)


def test_an_overpowering_d_leaves_g_where_it_is() -> None:
    finding = last(
        DiscriminatorOverpowering(), probes(45, **FAR, auc=1.0, d_prime=9.0), lr_g=1e-5, lr_d=1e-3
    )
    assert finding.severity == "critical"
    assert {e.signal for e in finding.evidence} == {"auc", "energy_distance"}
    assert [cause.name for cause in finding.causes] == [
        *("generator_too_slow", "discriminator_too_fast", "samples_given_away")
    ]
    assert "100 times" in finding.causes[0].text


@pytest.mark.parametrize(
    "given",
    [
        [row | {"auc": 1.0, "d_prime": 9.0} for row in FALLING],  # a strong D that teaches
        probes(40, **NEAR, auc=1.0, d_prime=9.0),  # strong, and no harm
        probes(40, **FAR, auc=0.97, d_prime=2.7),  # not saturated
        probes(40, **FAR, auc=1.0, d_prime=2.0),
        [*probes(39, **FAR, auc=1.0, d_prime=9.0), {**FAR, "auc": 0.1, "d_prime": -5.0}],
    ],
)
def test_what_looks_like_an_overpowering_d(given: list[dict[str, float]]) -> None:
    assert isinstance(opinions(DiscriminatorOverpowering(), given)[-1], Healthy)


def test_logits_without_bounds_or_spread_are_judged_by_rank() -> None:
    finding = last(DiscriminatorOverpowering(), probes(45, **FAR, auc=1.0, d_prime=math.inf))
    assert finding.severity == "critical"


@pytest.mark.parametrize(("area", "word"), [(0.5, "cannot tell"), (0.05, "takes fakes for reals")])
def test_a_dead_d_is_not_convergence(area: float, word: str) -> None:
    finding = last(DiscriminatorUnderpowered(), probes(45, **FAR, auc=area, c2st=0.9))
    assert finding.severity == "critical"
    assert word in finding.evidence[1].sentence
    assert finding.evidence[2].signal == "c2st"
    converged = opinions(DiscriminatorUnderpowered(), probes(45, **NEAR, auc=area))
    assert isinstance(converged[-1], Healthy)


def test_an_orbit_is_no_dead_d() -> None:
    turning = [{**FAR, "auc": 0.9 if n % 2 else 0.1} for n in range(40)]
    for detector in (DiscriminatorUnderpowered(), DiscriminatorOverpowering()):
        assert not any(isinstance(o, Finding) for o in opinions(detector, turning))


def test_a_d_that_does_not_move_is_the_first_cause() -> None:
    rows = probes(45, **FAR, auc=0.5, input_grad_real=0.001, input_grad_fake=0.01)
    finding = last(DiscriminatorUnderpowered(), rows, r1=0.0, update_ratio_d=0.0)
    assert finding.causes[0].text == "the discriminator's weights do not move"
    assert "penalty_too_heavy" not in [cause.name for cause in finding.causes]
    moving = last(DiscriminatorUnderpowered(), rows, r1=0.0, update_ratio_d=0.01)
    assert moving.causes[0].name == "penalty_too_heavy"
    assert "lower_r1_weight" in finding.remedies


def dying(detector: Detector, then: dict[str, float], dead: float = 1e-4) -> list[Opinion]:
    found = []
    for step in range(1, 801):
        row = {"step": float(step), "grad_norm_g": 1.0 if step <= 200 else dead}
        found.append(detector.update(row | (then if step % EVERY == 0 else {})))
    return [opinion for opinion in found if not isinstance(opinion, NotAssessed)]


def test_a_gradient_that_dies_far_from_the_data() -> None:
    finding = dying(VanishingGradient(), {**FAR, "auc": 1.0})[-1]
    assert isinstance(finding, Finding)
    assert finding.severity == "critical"
    assert abs(finding.step - 200) <= 32
    assert "0.0001 of its early 1" in finding.evidence[0].sentence
    assert "sure of every fake" in finding.causes[0].text
    assert finding.remedies[0] == "non_saturating_loss"


@pytest.mark.parametrize("area", [0.1, 0.5])
def test_why_it_died_depends_on_d(area: float) -> None:
    finding = dying(VanishingGradient(), {**FAR, "auc": area, "input_grad_fake": 1e-3})[-1]
    assert isinstance(finding, Finding)
    assert ("takes the fakes for reals" if area < 0.3 else "flat") in finding.causes[0].text


def test_convergence_and_a_small_gradient_are_not_vanishing() -> None:
    assert isinstance(dying(VanishingGradient(), NEAR)[-1], Healthy)
    assert isinstance(dying(VanishingGradient(), FAR, dead=0.02)[-1], Healthy)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_gradient_has_no_unit(scale: float) -> None:
    detector = VanishingGradient()
    for step in range(1, 801):
        row = {"step": float(step), "grad_norm_g": scale * (1.0 if step <= 200 else 1e-3)}
        opinion = detector.update(row | (FAR if step % EVERY == 0 else {}))
    assert isinstance(opinion, Finding)


@pytest.mark.parametrize(
    "detector",
    [Stagnation, DiscriminatorOverpowering, DiscriminatorUnderpowered, VanishingGradient],
)
def test_a_missing_signal_is_never_healthy(detector: type[Detector]) -> None:
    full = {"energy_distance": 0.5, "auc": 1.0, "grad_norm_g": 1.0}
    for missing in detector().needs:
        for value in (None, math.nan):
            tried = detector()
            for step in range(1, 60):
                row = {"step": float(step), **full}
                row.pop(missing)
                if value is not None:
                    row[missing] = value
                assert isinstance(tried.update(row), NotAssessed)


STRAIGHT = {"input_grad_real": 0.3, "input_grad_fake": 0.3, "input_grad_between": 0.3000001}
BENT = {"input_grad_real": 0.3, "input_grad_fake": 0.31, "input_grad_between": 0.3}


@pytest.mark.parametrize(("kind", "area"), [(DiscriminatorUnderpowered, 0.5), (Stagnation, 0.95)])
def test_a_linear_d_is_named_first(kind: type[Detector], area: float) -> None:
    found = last(kind(), probes(60, auc=area, fixed_z_drift=0.1, **FAR, **STRAIGHT))
    assert found.causes[0].name == "discriminator_linear"
    assert "wherever one looks" in found.causes[0].text
    assert found.severity == ("warning" if kind is DiscriminatorUnderpowered else "critical")


@pytest.mark.parametrize("slopes", [BENT, dict.fromkeys(STRAIGHT, 0.0), {}])
def test_a_d_that_bends_or_is_dead_or_was_not_asked_is_not_called_linear(
    slopes: dict[str, float],
) -> None:
    found = last(DiscriminatorUnderpowered(), probes(60, auc=0.5, **FAR, **slopes))
    assert "discriminator_linear" not in {c.name for c in found.causes}


def test_once_bent_never_linear() -> None:
    given = probes(5, auc=0.5, **FAR, **BENT) + probes(60, auc=0.5, **FAR, **STRAIGHT)
    found = last(DiscriminatorUnderpowered(), given)
    assert "discriminator_linear" not in {c.name for c in found.causes}
