"""Labels that no embedding has a row for."""

from collections.abc import Iterator

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import found
from steadygan.doctor.preflight.preparation import Preparation
from steadygan.doctor.preflight.stand_in import LabelsOutOfRange

KIND = "preflight_labels"


def labels(preparation: Preparation) -> Iterator[Finding]:
    """Look whether every label, or other index, has a row in the embedding that it is handed to.

    critical where one has not: the CPU would raise an error at the first such batch, which may be a
    late one, and a CUDA device would fail for the rest of the process. Looked at in ``nn.Embedding``
    alone, on the labels of the rehearsal.
    """
    try:
        _ = preparation.rehearsal
    except LabelsOutOfRange as error:
        yield found(
            KIND,
            "critical",
            f"labels lie in [{error.lowest}, {error.highest}], but the embedding {error.layer!r} has "
            f"{error.num} rows",
            signal="highest_label",
            observed=error.lowest if error.lowest < 0 else error.highest,
            expected=f"within [0, {error.num - 1}]",
            causes=(
                "labels count from 1, or hold a mark for 'unknown'",
                "a wrong number of classes",
            ),
            remedies=(f"number the labels from 0 to {error.num - 1}", "enlarge the embedding"),
        )
