"""Logits in a column, which broadcast in silence."""

from collections.abc import Iterator

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import found
from steadygan.doctor.preflight.preparation import Preparation

KIND = "preflight_column_logits"


def column_logits(preparation: Preparation) -> Iterator[Finding]:
    """Look whether D returns (b, 1), or (b, 1, 1, 1), instead of (b,).

    A column minus a vector is a (b, b) matrix: a loss written by hand against targets or logits of
    shape (b,) then averages over pairs of samples that have nothing to do with each other, without
    an error. A warning where an objective is named, since every objective here takes (b,); else
    information, since a column against a column is right. Maps of patches are no columns.
    """
    shape = tuple(preparation.rehearsal.answer_real.shape)
    if len(shape) < 2 or any(size != 1 for size in shape[1:]):
        return
    written = ", ".join(["b", *map(str, shape[1:])])
    yield found(
        KIND,
        "info" if preparation.objective is None else "warning",
        f"the discriminator returns logits of shape ({written}); against labels or logits of shape "
        "(b,) a loss written by hand broadcasts them to pairs, without an error",
        signal="logit_dimensions",
        observed=len(shape),
        expected="1",
        causes=("the discriminator's last layer has one output and nothing flattens it",),
        remedies=("end the forward of the discriminator with flatten()",),
    )
