"""The recipe: a typed, complete, reproducible description of a run.

The trunk is checked here; the options of each part (``network``, ``data``, a penalty …) are checked against the
signature of what the part's name stands for, so that a new part needs no line here.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

PositiveInt = Annotated[int, Field(ge=1)]
Period = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(BaseModel):
    """A name and the options of what it stands for; a bare string is a name without options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Everything beside the name."""
        return dict(self.__pydantic_extra__ or {})


class Update(BaseModel):
    """The update rule and its options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    rule: str = "alternating"

    @property
    def options(self) -> dict[str, Any]:
        """Everything beside the rule's name."""
        return dict(self.__pydantic_extra__ or {})


def _spell_out(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


PartOrName = Annotated[Part, BeforeValidator(_spell_out)]


class PlayerOptimizerSettings(Part):
    """An optimizer by name, its options, and what surrounds its step."""

    schedule: PartOrName | None = None
    clip_norm: PositiveFloat | None = None
    clip_value: PositiveFloat | None = None


class Optimizers(_Section):
    """One optimizer for each player."""

    g: Annotated[PlayerOptimizerSettings, BeforeValidator(_spell_out)]
    d: Annotated[PlayerOptimizerSettings, BeforeValidator(_spell_out)]


class LatentSettings(_Section):
    """G's input."""

    dim: PositiveInt = 64
    prior: Literal["normal", "uniform", "sphere"] = "normal"


class Average(_Section):
    """The averaged generator; half-life in samples."""

    half_life: PositiveFloat = 10_000.0


class Checkpoints(_Section):
    """A checkpoint every so many steps (0: only at the end), the newest ``keep`` of them kept."""

    every: Period = 1000
    keep: PositiveInt = 2


class Records(_Section):
    """A row of signals every so many steps."""

    every: PositiveInt = 1


class SampleGrids(_Section):
    """A grid of ``num`` samples every so many steps (0: only at the end)."""

    every: Period = 1000
    num: PositiveInt = 64


class Probes(_Section):
    """Sample-space measurements every so many steps (0: never) on ``num`` samples."""

    every: Period = 100
    num: Annotated[int, Field(ge=16)] = 256


class Evaluation(_Section):
    """Metrics of ``num`` samples of the averaged generator (0: none), every so many steps (0: only at the end).

    ``metrics`` are names, see ``steadygan list metrics``, none for the usual ones; ``features`` a feature map;
    ``best`` the metric by which the best generator is kept.
    """

    every: Period = 0
    num: Period = 2000
    metrics: tuple[str, ...] = ()
    features: str = "pixels"
    best: str | None = None


class Recipe(_Section):
    """Everything that decides a run's outcome, and how it is run."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    steps: PositiveInt
    batch: PositiveInt
    data: PartOrName
    latent: LatentSettings = LatentSettings()
    network: PartOrName
    objective: PartOrName
    penalties: dict[str, dict[str, Any]] = {}
    constraints: dict[str, dict[str, Any]] = {}
    update: Update = Update()
    optimizer: Optimizers
    average: Average = Average()
    checkpoint: Checkpoints = Checkpoints()
    record: Records = Records()
    samples: SampleGrids = SampleGrids()
    probe: Probes = Probes()
    evaluate: Evaluation = Evaluation()
    autopilot: bool | Literal["observe"] = False
    device: str = "auto"
    devices: PositiveInt = 1
    nodes: PositiveInt = 1
    threads: PositiveInt | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    channels_last: bool = True
    compile: bool = False
