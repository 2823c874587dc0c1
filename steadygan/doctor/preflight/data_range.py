"""Reals that are no numbers, all the same, or outside of what the generator can make."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import exact, found
from steadygan.doctor.preflight.last_activation import LastActivation
from steadygan.doctor.preflight.preparation import Preparation

KIND = "preflight_data_range"
_TOLERANCE = 0.01  # of the width of what G can reach
_FEW, _MANY = 1e-3, 0.05  # shares of values out of reach
_SCALES_APART = 100.0
_SATURATED = 0.5


def data_range(preparation: Preparation) -> Iterator[Finding]:
    """Compare the reals with what the generator can make.

    With [a, b] the range of G's last activation, scaling after it included, and w = b − a, the
    finding is

        critical    a real is not finite, or all reals are the same sample
        critical    more than 5% of values lie more than w/100 outside of [a, b], or more than 0.1%
                    of them and some by more than w
        warning     more than 0.1% of values lie outside; or all reals lie in one half of [a, b]
        warning     more than half of G's first samples lie within w/200 of a or b: saturated, so
                    that next to no gradient passes

    Where G's output is unbounded, a linear last layer learns any range: a warning is given only
    where the root mean squares of reals and first samples are more than 100 times apart.

    A share below 0.1% is let pass: resampled images overshoot. Blind spots: activations that the
    graph does not show (a custom autograd function), and a scaling that is learned.
    """
    real = exact(preparation.real[0])
    share = 1 - float(torch.isfinite(real).sum()) / real.numel()
    if share > 0:
        yield _not_finite(share)
        return
    if len(real) > 1 and bool((real == real[:1]).all()):
        yield _constant(len(real))
        return
    end = preparation.end_of_g
    if end is None or not math.isfinite(end.high - end.low):
        yield from _scales(real, exact(preparation.rehearsal.fake.detach()))
    if end is not None:
        yield from _reach(real, end)


def _reach(real: Tensor, end: LastActivation) -> Iterator[Finding]:
    low, high = float(real.min()), float(real.max())
    width = end.high - end.low if math.isfinite(end.high - end.low) else high - low
    slack = _TOLERANCE * width
    outside = ((real < end.low - slack) | (real > end.high + slack)).sum()
    share, excess = float(outside) / real.numel(), max(end.low - low, high - end.high)
    if share > _FEW:
        critical = share > _MANY or excess > width
        yield found(
            KIND,
            "critical" if critical else "warning",
            f"reals lie in [{low:.3g}, {high:.3g}], but the generator's {end.name} reaches only "
            f"{end.range}: {share:.0%} of the values are out of reach"
            if share >= _TOLERANCE
            else f"{share:.2%} of the values of reals, up to [{low:.3g}, {high:.3g}], lie outside "
            f"of what the generator's {end.name} reaches, {end.range}",
            signal="share_out_of_reach",
            observed=share,
            expected=f"reals within {end.range}",
            causes=(
                "the data is not scaled to the range of the generator's last activation",
                "the generator ends in an activation made for other data",
            ),
            remedies=(f"scale the data to {end.range}", "end the generator without activation"),
        )
    elif math.isfinite(end.high - end.low):
        yield from _one_half(low, high, slack, end)
    if end.saturated > _SATURATED:
        yield _saturated(end)


def _one_half(low: float, high: float, slack: float, end: LastActivation) -> Iterator[Finding]:
    middle = (end.low + end.high) / 2
    if low < middle - slack and high > middle + slack:
        return
    yield found(
        KIND,
        "warning",
        f"reals lie in [{low:.3g}, {high:.3g}], all in one half of what the generator's {end.name} "
        f"reaches, {end.range}",
        signal="real_range",
        observed=(high - low) / (end.high - end.low),
        expected=f"reals that fill {end.range}",
        causes=(
            "the data is scaled for another activation: [0, 1] is a sigmoid's, [-1, 1] a tanh's",
        ),
        remedies=(
            f"scale the data to {end.range}",
            "choose the last activation of the generator for the data",
        ),
    )


def _scales(real: Tensor, fake: Tensor) -> Iterator[Finding]:
    size, made = (float(torch.linalg.vector_norm(x)) / math.sqrt(x.numel()) for x in (real, fake))
    if size <= 0 or not 0 < made < math.inf:
        return  # nothing to compare; other checks speak of it
    ratio = size / made
    if 1 / _SCALES_APART <= ratio <= _SCALES_APART:
        return
    yield found(
        KIND,
        "warning",
        f"reals have a root mean square of {size:.3g}, the generator's first samples one of "
        f"{made:.3g}: {max(ratio, 1 / ratio):.0f} times apart",
        signal="scale_ratio",
        observed=ratio,
        expected=f"between 1/{_SCALES_APART:.0f} and {_SCALES_APART:.0f}",
        causes=(
            "the data is not normalised",
            "the generator's first weights are far too small or too large",
        ),
        remedies=(
            "standardise the data",
            "initialise the generator for samples of the data's size",
        ),
    )


def _saturated(end: LastActivation) -> Finding:
    return found(
        KIND,
        "warning",
        f"{end.saturated:.0%} of the generator's first samples sit at the ends of its {end.name}, "
        f"{end.range}, where next to no gradient passes",
        signal="saturated_output",
        observed=end.saturated,
        expected=f"below {_SATURATED:.0%}",
        causes=("the last layer's first weights are too large", "the latents are too large"),
        remedies=(
            "initialise the last layer of the generator smaller",
            "draw latents from N(0, 1)",
        ),
    )


def _not_finite(share: float) -> Finding:
    return found(
        KIND,
        "critical",
        f"{share:.2%} of the values of reals are NaN or infinite",
        signal="share_not_finite",
        observed=share,
        expected="0",
        causes=("the data has gaps, or a normalisation divided by 0",),
        remedies=("remove the samples that are not finite", "mend the normalisation"),
    )


def _constant(num: int) -> Finding:
    return found(
        KIND,
        "critical",
        f"all {num} reals are the same sample",
        signal="distinct_reals",
        observed=1,
        expected=f"up to {num}",
        causes=("the loader returns the same sample again and again", "a normalisation gone wrong"),
        remedies=("check what real returns",),
    )
