"""Which of somebody else's columns is which signal: guessed from the words in its name, never from its values."""

import re
from collections.abc import Collection, Mapping, Sequence

from steadygan.errors import unknown_name

SIGNALS = frozenset(
    {
        *("loss_d", "loss_g", "logit_real", "logit_fake", "prob_real", "prob_fake"),
        *("grad_norm_d", "grad_norm_g", "lr_d", "lr_g", "step_s"),
        *("energy_distance", "coverage", "dispersion", "duplicates", "fixed_z_drift"),
        *("r1", "r2", "wgan_gp", "lp", "dragan"),
        *("logit_spread", "input_grad_fake", "update_ratio_d", "update_ratio_g"),
    }
)
"""Signals that a column may be mapped to, or is taken for if it is called so. ``prob_real`` and ``prob_fake`` are
D(x) and D(G(z)) as probabilities, as in the DCGAN tutorial; the record proper knows logits only."""

STEP_COLUMNS = ("global_step", "step", "iteration", "iter", "it", "epoch")
"""Names of the column of steps, the finest first."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SPELLINGS = {
    **dict.fromkeys(("dis", "disc", "discriminator", "critic"), ("d",)),
    **dict.fromkeys(("gen", "generator"), ("g",)),
    **dict.fromkeys(("err", "error", "losses", "errs"), ("loss",)),
    **dict.fromkeys(("lossd", "errd", "dloss"), ("loss", "d")),
    **dict.fromkeys(("lossg", "errg", "gloss"), ("loss", "g")),
    **dict.fromkeys(("netd",), ("d",)),
    **dict.fromkeys(("netg",), ("g",)),
    **dict.fromkeys(("gradient", "grads", "gradients"), ("grad",)),
    **dict.fromkeys(("logits",), ("logit",)),
    **dict.fromkeys(("probability", "probs"), ("prob",)),
    "scores": ("score",),
}
_EMPTY_WORDS = frozenset(
    {
        *("train", "training", "net", "total", "avg", "average", "mean", "running"),
        *("epoch", "step", "iter", "batch", "scalar", "scalars"),
    }
)
_MEANINGS = {
    frozenset(words.split()): signal
    for signal, spellings in {
        "loss_d": ("loss d",),
        "loss_g": ("loss g",),
        "prob_real": ("d x", "prob real", "d prob real"),
        "prob_fake": ("d g z", "prob fake", "d prob fake"),
        # "Loss/scores/real" is what the StyleGAN family calls D's raw output.
        "logit_real": ("logit real", "d logit real", "loss score real"),
        "logit_fake": ("logit fake", "d logit fake", "loss score fake"),
        "grad_norm_d": ("grad norm d",),
        "grad_norm_g": ("grad norm g",),
        "lr_d": ("lr d", "learning rate d"),
        "lr_g": ("lr g", "learning rate g"),
    }.items()
    for words in spellings
}


def signal_of(column: str, known: Collection[str] = SIGNALS) -> str | None:
    """The signal a column's name speaks of; None if it is not certain.

    Parts of a loss (``d_loss_real``), validation losses, and scores that may be logits as well as
    probabilities are not guessed.

    >>> [signal_of(c) for c in ("errD", "Loss/G", "train/critic_loss", "D(x)", "D(G(z))1", "loss")]
    ['loss_d', 'loss_g', 'loss_d', 'prob_real', 'prob_fake', None]
    """
    if column in known:
        return column
    return _MEANINGS.get(frozenset(w for w in _words(column) if w not in _EMPTY_WORDS))


def step_column(columns: Sequence[str]) -> str | None:
    """The column that counts steps, if one is called so.

    >>> step_column(["epoch", "Step", "loss"]), step_column(["time", "loss"])
    ('Step', None)
    """
    plain = {c.rpartition("/")[2].strip(" _").lower().removesuffix("s"): c for c in columns}
    return next((plain[name] for name in STEP_COLUMNS if name in plain), None)


def choose(
    columns: Sequence[str],
    mapped: Mapping[str, str],
    known: Collection[str],
    *,
    where: str,
) -> dict[str, str]:
    """Signal -> column: as mapped by the user, and guessed for the rest.

    Of several columns that would do, the one with the shortest name is taken: ``loss_d`` rather
    than ``loss_d_epoch``.

    Raises:
        ConfigError: for a signal nobody knows, or a column that is not there.
    """
    for signal, column in mapped.items():
        if signal != "step" and signal not in known:
            raise unknown_name("signal in --map", signal, {*known, "step"})
        if column not in columns:
            raise unknown_name(f"column of {where} in --map", column, columns)
    chosen = dict(mapped)
    for candidate in sorted(columns, key=len):
        meant = signal_of(candidate, known)
        if meant is not None and candidate not in mapped.values():
            chosen.setdefault(meant, candidate)
    if "step" not in chosen:
        counter = step_column([c for c in columns if c not in chosen.values()])
        if counter is not None:
            chosen["step"] = counter
    return chosen


def _words(column: str) -> list[str]:
    words: list[str] = []
    for match in _WORD.findall(column):
        word = match.lower()
        words += _SPELLINGS.get(word, (word,))
    return words
