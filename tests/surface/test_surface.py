"""What users build on is frozen in text files: a change of a public name or flag shows up as a changed file.

After a deliberate change: ``UPDATE_SURFACE=1 pytest tests/surface``, then look at the difference.
"""

import importlib
import inspect
import os
import pkgutil
from pathlib import Path

import click

import steadygan
from steadygan.cli.main import _VERBS, steadygan_command
from steadygan.recipes.schema import Recipe

HERE = Path(__file__).parent


def frozen(name: str, text: str) -> None:
    path = HERE / name
    if os.environ.get("UPDATE_SURFACE"):
        path.write_text(text)
    assert path.read_text() == text, f"{path} no longer holds; see the top of this file"


def test_exports() -> None:
    lines = [f"steadygan: {', '.join(sorted(steadygan.__all__))}"]
    for found in pkgutil.iter_modules(steadygan.__path__):
        if found.ispkg and found.name != "cli":
            package = importlib.import_module(f"steadygan.{found.name}")
            lines += [
                f"steadygan.{found.name}.{name}" for name in sorted(getattr(package, "__all__", ()))
            ]
    frozen("exports.txt", "\n".join(lines) + "\n")


def test_parts_and_their_options() -> None:
    from steadygan.recipes.catalogue import catalogues

    lines = [
        f"{kind} {name}({', '.join(inspect.signature(make).parameters)})"
        for kind, catalogue in sorted(catalogues().items())
        for name, make in sorted(catalogue.items())
    ]
    frozen("parts.txt", "\n".join(lines) + "\n")


def test_command_line() -> None:
    lines = []
    for verb in _VERBS:
        context = click.Context(steadygan_command)
        command = steadygan_command.get_command(context, verb)
        assert command is not None
        lines += [f"{verb} {' '.join(parameter.opts)}" for parameter in command.params]
    frozen("command_line.txt", "\n".join(sorted(lines)) + "\n")


def test_recipe_schema() -> None:
    def keys(model: type, prefix: str = "") -> list[str]:
        found = []
        for name, field in model.model_fields.items():
            found.append(f"{prefix}{name}")
            annotation = field.annotation
            if inspect.isclass(annotation) and hasattr(annotation, "model_fields"):
                found += keys(annotation, f"{prefix}{name}.")
        return found

    frozen("recipe_keys.txt", "\n".join(keys(Recipe)) + "\n")
