"""A case of the ward: a training, what is done to it, and which findings would be right. One file each."""

import json
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from steadygan.doctor import KINDS
from steadygan.errors import ConfigError, unknown_name
from steadygan.recipes import Recipe, load_recipe
from steadygan.recipes.sources import parse_value
from steadygan.recipes.wording import first_problem
from steadygan.ward.faults import FAULTS

Half = Literal["tuned", "held"]

_FOLDER = resources.files("steadygan.ward")
_DATA = "{data}"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(BaseModel):
    """Something done to the training before step ``at``: a name of ``steadygan.ward.faults``, its options."""

    model_config = ConfigDict(extra="allow", frozen=True)
    name: str
    at: Annotated[int, Field(ge=1)] = 1

    @property
    def options(self) -> dict[str, Any]:
        """Everything beside name and step."""
        return dict(self.__pydantic_extra__ or {})


class Expectation(_Section):
    """What the case is meant to be, and what would be right to say of it if it fails.

    Attributes:
        outcome: what its author meant; the oracle decides what it was.
        kinds: of finding, any of which names the failure rightly.
        causes: names of causes, any of which is right.
    """

    outcome: Literal["healthy", "failing"]
    kinds: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


class Pool(_Section):
    """The part of the data that the training sees.

    Attributes:
        num: so many samples; None: as many as there are.
        only: these classes.
    """

    num: Annotated[int, Field(ge=1)] | None = None
    only: tuple[int, ...] = ()


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


class Case(_Section):
    """One way to train and, perhaps, to spoil it.

    Attributes:
        title: in words.
        half: "tuned": detectors may be tuned on it; "held": reported on, never tuned on.
        quick: part of ``steadygan ward --quick``.
        base: the recipe it starts from, of ``ward/bases``.
        set: dotted recipe keys and their values.
        pool: what the training sees of the data.
        faults: what is done to it, and when.
        probe_every, every: cadences of the watch.
        validation: give the watch held-out reals.
    """

    name: str
    title: Annotated[str, Field(min_length=8)]
    half: Half
    expect: Expectation
    quick: bool = False
    base: str
    set: dict[str, Any] = {}
    pool: Pool = Pool()
    faults: Annotated[tuple[Fault, ...], BeforeValidator(_listed)] = ()
    probe_every: Annotated[int, Field(ge=1)] = 50
    every: Annotated[int, Field(ge=1)] = 1
    validation: bool = True

    @property
    def needs_data(self) -> bool:
        """Whether its data are files that do not come with the package."""
        return _DATA in json.dumps(_base(self.base))

    def recipe(self, seed: int, data: Path | None = None) -> Recipe:
        """The recipe to train.

        Args:
            seed: of the run.
            data: the folder of data files, for the cases that need one.

        Raises:
            ConfigError: for a recipe that cannot be, naming the case.
        """
        if self.needs_data and data is None:
            raise ConfigError(
                f"case {self.name} needs data files; give --data FOLDER with mnist.npz and "
                "fashion_mnist.npz."
            )
        tree = json.loads(json.dumps(_base(self.base)).replace(_DATA, str(data)))
        overrides = [f"{key}={json.dumps(value)}" for key, value in self.set.items()]
        try:
            return load_recipe({**tree, "name": self.name}, [*overrides, f"seed={seed}"])
        except ConfigError as error:
            raise ConfigError(f"case {self.name}: {error}") from error


def named_cases() -> dict[str, Case]:
    """Every case that comes with the package, by name."""
    files = (f for f in (_FOLDER / "cases").iterdir() if f.name.endswith(".yaml"))
    return {c.name: c for c in (load_case(f) for f in sorted(files, key=lambda f: f.name))}


def load_case(path: Path | Traversable) -> Case:
    """The case in that file.

    Raises:
        ConfigError: unreadable, an unknown key, kind or fault; names the file and the key.
    """
    try:
        tree = parse_value(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"case {path} cannot be read: {' '.join(str(error).split())}.") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"case {path} must be a mapping with title, half, base and expect.")
    name = path.name.removesuffix(".yaml")
    try:
        case = Case.model_validate({"name": name, **tree})
    except ValidationError as error:
        raise ConfigError(first_problem(error, f"case {name}")) from None
    for kind in case.expect.kinds:
        if kind not in KINDS:
            raise unknown_name(f"kind of finding in case {name}", kind, KINDS)
    for fault in case.faults:
        if fault.name not in FAULTS:
            raise unknown_name(f"fault in case {name}", fault.name, FAULTS)
    return case


def _base(name: str) -> dict[str, Any]:
    file = _FOLDER / "bases" / f"{name}.yaml"
    if not file.is_file():
        names = [f.name.removesuffix(".yaml") for f in (_FOLDER / "bases").iterdir()]
        raise unknown_name("base", name, sorted(names))
    tree: dict[str, Any] = parse_value(file.read_text())
    return tree
