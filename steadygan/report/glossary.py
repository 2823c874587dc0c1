"""What every signal and metric means, for the report; docs/signals.md is the same as text."""

from steadygan import objectives
from steadygan.names import snake_case
from steadygan.report.dynamics_signals import DYNAMICS_SIGNALS
from steadygan.report.entry import Entry as Entry
from steadygan.report.probe_signals import PROBE_SIGNALS

_PENALTY = "Mean of the penalty on D before its weight, on the steps where it is due."

SIGNALS: dict[str, Entry] = {
    **PROBE_SIGNALS,
    **DYNAMICS_SIGNALS,
    "loss_d": Entry(
        "D",
        "",
        "The discriminator's mean loss, without penalties.",
        "Steady after the start; its level depends on the objective, and a fall is not progress.",
    ),
    "loss_g": Entry(
        "G",
        "",
        "The generator's mean loss.",
        "Steady after the start; its level says nothing about the quality of samples.",
    ),
    "logit_real": Entry(
        "real",
        "",
        "D's mean logit on reals; high means real.",
        "A little above logit_fake, at a bounded distance.",
    ),
    "logit_fake": Entry(
        "fake",
        "",
        "D's mean logit on generated samples.",
        "A little below logit_real; a gap that keeps widening means D wins.",
    ),
    "grad_norm_g": Entry(
        "G",
        "",
        "Norm of the gradient of G's loss in all of G's weights, before clipping.",
        "Within a factor of ten of its early level; near 0 G no longer learns.",
    ),
    "grad_norm_d": Entry(
        "D",
        "",
        "Norm of the gradient of D's loss and penalties in all of D's weights, before clipping.",
        "Within a factor of ten of its early level; spikes that heal are harmless.",
    ),
    "lr_g": Entry("G", "", "The generator's learning rate.", "As the recipe sets it."),
    "lr_d": Entry("D", "", "The discriminator's learning rate.", "As the recipe sets it."),
    "step_s": Entry(
        "step",
        "s",
        "Wall time of one step, probes included.",
        "Flat, with regular spikes where probes are due.",
    ),
    "r1": Entry(
        "R1",
        "",
        f"{_PENALTY} Half of D's squared slope at reals.",
        "Small and steady; rising without end means D sharpens faster than the weight allows.",
    ),
    "r2": Entry(
        "R2",
        "",
        f"{_PENALTY} Half of D's squared slope at generated samples.",
        "Small and steady, near R1 once samples resemble the data.",
    ),
    "wgan_gp": Entry(
        "WGAN-GP",
        "",
        f"{_PENALTY} Squared distance of D's slope between reals and fakes from 1.",
        "Falls within the first hundreds of steps and stays near 0.",
    ),
    "lp": Entry(
        "LP",
        "",
        f"{_PENALTY} Squared excess of D's slope over 1 between reals and fakes.",
        "Falls within the first hundreds of steps and stays near 0.",
    ),
    "dragan": Entry(
        "DRAGAN",
        "",
        f"{_PENALTY} Squared distance of D's slope near the data from 1.",
        "Falls within the first hundreds of steps and stays near 0.",
    ),
    "energy_distance": Entry(
        "energy distance",
        "",
        "Distance between samples and data as distributions; the probe's latents are fixed.",
        "Falls, then levels off near 0; a lasting rise from its lowest value is divergence.",
    ),
    "coverage": Entry(
        "coverage",
        "",
        "Share of reals that have a generated sample among their near neighbours.",
        "Rises towards 1; a fall while the losses look calm is mode collapse.",
    ),
    "dispersion": Entry(
        "dispersion",
        "",
        "Spread of the generated samples relative to that of the data.",
        "Near 1; well below, samples are less diverse than the data; near 0 they collapsed.",
    ),
}

METRICS: dict[str, Entry] = {
    "precision": Entry(
        "precision",
        "",
        "Share of generated samples that lie among the reals.",
        "High: samples look real.",
    ),
    "recall": Entry(
        "recall",
        "",
        "Share of reals that lie among the generated samples.",
        "High: no part is missing.",
    ),
    "f1": Entry("F1", "", "Harmonic mean of precision and recall.", "High."),
    "density": Entry(
        "density",
        "",
        "How many reals' neighbourhoods a generated sample lies in, relative to what is expected.",
        "Near 1.",
    ),
    "modes": Entry(
        "modes", "", "How many of the data's known modes are reached.", "All of the data's modes."
    ),
    "high_quality": Entry(
        "high quality",
        "",
        "Share of generated samples within a few standard deviations of a known mode.",
        "Near 1.",
    ),
    "fid": Entry(
        "FID",
        "",
        "Fréchet distance between Gaussians fitted to features of samples and of data.",
        "Low; compare only at equal sample counts and features.",
    ),
    "kid": Entry(
        "KID",
        "",
        "Squared kernel distance between features of samples and of data.",
        "Low, about 0 for a perfect generator.",
    ),
}


def signal_entry(name: str) -> Entry:
    """A signal's entry; a signal of the user's own gets one that says so.

    >>> signal_entry("modes").meaning == entry("modes").meaning  # a share there, a count here
    False
    """
    return SIGNALS.get(name) or SIGNALS.get(family(name)) or entry(name)


def family(name: str) -> str:
    """What a signal of one layer is explained as; any other signal is its own family.

    >>> family("grad_norm_g.blocks.3"), family("grad_norm_g"), family("my.own")
    ('grad_norm_g.LAYER', 'grad_norm_g', 'my.own')
    """
    whole, dot, layer = name.partition(".")
    together = f"{whole}.LAYER"
    return together if dot and layer and together in SIGNALS else name


def entry(name: str) -> Entry:
    """A metric's entry, and a signal's where no metric has the name."""
    return (
        METRICS.get(name)
        or SIGNALS.get(name)
        or Entry(name, "", "Logged by this run; not a signal steadygan measures.", "")
    )


def reading(signal: str, objective: str | None) -> str:
    """What is healthy for a signal under an objective, given by its name in recipes.

    >>> reading("loss_d", "wasserstein").startswith("Minus the estimated distance")
    True
    >>> reading("loss_d", "of_my_own") == SIGNALS["loss_d"].healthy
    True
    """
    for name in objectives.__all__:
        part = getattr(objectives, name)
        if snake_case(name) == objective and signal in getattr(part, "reading", {}):
            return str(part.reading[signal])
    return signal_entry(signal).healthy
