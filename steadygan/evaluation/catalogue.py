"""The metrics by name: what ``--metrics`` and ``evaluate.metrics`` may say, and the function behind each name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from steadygan import metrics
from steadygan.errors import ConfigError, unknown_name
from steadygan.evaluation.material import Material, Places
from steadygan.metrics.result import Result

Measured = dict[str, Result]

_FEW_FOR_FID = 10_000


@dataclass(frozen=True)
class Family:
    """Scores that are computed together.

    Args:
        about: one line for ``steadygan list metrics``.
        measure: material -> result by score name.
        better: score name -> "lower", "higher" or "" for neither.
        needs: "real", "validation", "classes", "images", "generator".
        uses_features: whether the feature map matters.
    """

    about: str
    measure: Callable[[Material], Measured]
    better: Mapping[str, str]
    needs: frozenset[str] = frozenset({"real"})
    uses_features: bool = True

    @property
    def uses_reals(self) -> bool:
        """Whether the reals matter."""
        return "real" in self.needs

    def check(self, material: Material) -> None:
        """Refuse before anything is computed.

        Raises:
            ConfigError: naming the first thing that is missing.
        """
        name = next(iter(self.better))
        missing = {
            "real": (material.real is None, "real samples; give real= (--real)"),
            "validation": (
                material.validation is None,
                "held-out reals; give validation= (--validation)",
            ),
            "generator": (
                material.sampler is None,
                "the generator; give a run directory, or (generator, latent) in Python, as FAKE",
            ),
            "images": (material.fake.kind != "images", f"images, got {material.fake.kind}"),
            "classes": (
                material.places is None and not material.from_files and not material.through.classes,
                "a feature map that classifies; use features=classifier:FILE (--features)",
            ),
        }
        for need in sorted(self.needs):
            is_missing, what = missing[need]
            if is_missing:
                raise ConfigError(f"metric {name} needs {what}.")


def _one(name: str, function: Callable[[Material], Result]) -> Callable[[Material], Measured]:
    return lambda material: {name: function(material)}


def _parts(result: Any, names: Iterable[str]) -> Measured:
    """The fields of a result as results of their own, each with its interval."""
    found: Measured = {}
    for name in names:
        interval = getattr(result, f"{name}_interval", None)
        found[name] = replace(
            Result(value=0.0, n_fake=result.n_fake, n_real=result.n_real),
            value=float(getattr(result, name)),
            interval=interval,
            warnings=tuple(result.warnings),
        )
    return found


def _fid(m: Material) -> Result:
    return metrics.frechet_distance(m.fakes, m.reals)


FAMILIES: dict[str, Family] = {}
"""Filled below; a new metric is one entry."""


MEMBERS: dict[str, Family] = {}
"""Score name -> its family."""

ALIASES = {
    "prdc": ("precision", "recall", "density", "coverage"),
}
"""Names for several scores, and the short names of papers."""


def metric_names() -> list[str]:
    """Every name that may be asked for."""
    return sorted({*MEMBERS, *ALIASES})


def chosen(names: Sequence[str]) -> list[str]:
    """The scores behind these names, aliases spelled out, each once, in the order asked for.

    Raises:
        ConfigError: for no name, or one that nobody knows; the nearest is offered.
    """
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    found: dict[str, None] = {}
    for name in names:
        if name not in MEMBERS and name not in ALIASES:
            raise unknown_name("metric", name, metric_names())
        found |= dict.fromkeys(ALIASES.get(name, (name,)))
    if not found:
        raise ConfigError("metrics must name at least one metric, got none; try fid,prdc.")
    return list(found)


def families_of(names: Sequence[str]) -> list[Family]:
    """The families of these scores, each once."""
    found: list[Family] = []
    for name in names:
        if MEMBERS[name] not in found:
            found.append(MEMBERS[name])
    return found


__all__ = ["FAMILIES", "MEMBERS", "Material", "Places", "chosen", "families_of", "metric_names"]
