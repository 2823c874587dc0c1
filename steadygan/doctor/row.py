"""A row of the record, as detectors see it."""

from collections.abc import Mapping

Row = Mapping[str, float]
"""{"step": 40, "loss_d": 0.61}: a signal that is absent was not measured at this step."""
