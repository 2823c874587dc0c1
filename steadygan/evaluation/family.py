"""Scores that are computed together: the function behind their names, and what it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from steadygan.errors import ConfigError
from steadygan.evaluation.material import Material
from steadygan.metrics.result import Result

Measured = dict[str, Result]


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
            "probabilities": (
                material.from_files or not material.through.classes,
                "a feature map that classifies; use features=classifier:FILE (--features)",
            ),
            "classes": (
                material.places is None
                and not material.from_files
                and not material.through.classes,
                "a feature map that classifies; use features=classifier:FILE (--features)",
            ),
        }
        for need in sorted(self.needs):
            is_missing, what = missing[need]
            if is_missing:
                raise ConfigError(f"metric {name} needs {what}.")
