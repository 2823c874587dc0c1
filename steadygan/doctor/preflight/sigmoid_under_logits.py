"""A sigmoid at the end of D, where logits are asked for."""

from collections.abc import Iterator

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import found
from steadygan.doctor.preflight.preparation import Preparation
from steadygan.names import snake_case
from steadygan.objectives import LeastSquares

KIND = "preflight_sigmoid_under_logits"


def sigmoid_under_logits(preparation: Preparation) -> Iterator[Finding]:
    """Look whether D's answers come out of a sigmoid.

    Every objective of this package takes logits. Handed probabilities, a classifying one applies
    its sigmoid twice (D's loss cannot fall below softplus(−1) + softplus(0) = 1.01 instead of 0),
    a hinge never meets its margins, a critic is bounded: critical; least squares merely lose
    gradient where D is sure: a warning. Where no objective is named it is information: right with
    ``BCELoss``, wrong with ``BCEWithLogitsLoss``.
    """
    if not preparation.gives_probabilities:
        return
    objective = preparation.objective
    answers = preparation.rehearsal.answer_fake.detach()
    seen = f"the discriminator ends in a sigmoid (first answers {answers.min():.2f} to {answers.max():.2f})"
    if objective is None:
        yield found(
            KIND,
            "info",
            f"{seen}: right with BCELoss, wrong with a loss that takes logits, such as "
            "BCEWithLogitsLoss, hinge or Wasserstein",
            signal="sigmoid_at_the_end",
            observed=1,
            expected="0 under a loss on logits",
            causes=("the discriminator is written for a loss on probabilities",),
            remedies=("end the discriminator without sigmoid and use BCEWithLogitsLoss",),
        )
        return
    yield found(
        KIND,
        "warning" if isinstance(objective, LeastSquares) else "critical",
        f"{seen}, but {snake_case(type(objective).__name__)} takes logits",
        signal="sigmoid_at_the_end",
        observed=1,
        expected="0",
        causes=("the discriminator is written for a loss on probabilities",),
        remedies=(
            "end the discriminator without sigmoid",
            "leave objective out if the loop uses BCELoss",
        ),
    )
