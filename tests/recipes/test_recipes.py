"""Recipes: loading, overriding, checking, and the way from names to objects."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from steadygan.data import Digits, Rescaled
from steadygan.errors import ConfigError
from steadygan.recipes import load_recipe, named_recipes
from steadygan.recipes.assemble import assemble
from steadygan.recipes.catalogue import catalogues
from steadygan.recipes.construct import check, construct
from steadygan.recipes.schema import Recipe
from steadygan.recipes.sources import dump_recipe, parse_value
from steadygan.training.engine import Engine


@pytest.mark.parametrize("name", named_recipes())
def test_a_named_recipe_survives_the_way_to_yaml_and_back(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_recipe(recipe))
    assert load_recipe(path) == recipe
    assert load_recipe(recipe) == recipe
    assert load_recipe(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize("name", sorted(set(named_recipes()) - {"images", "arrays"}))
def test_a_named_recipe_assembles(name: str) -> None:
    parts = assemble(load_recipe(name, ["batch=8"]), Engine("cpu"))
    assert parts.stream().x.shape[1:] == parts.source.event


def test_overrides_reach_every_depth() -> None:
    recipe = load_recipe(
        "rings",
        [
            "optimizer.g.lr=1e-4",
            "objective=hinge",
            "penalties.wgan_gp.weight=3",
            "objective.name=wasserstein",
            "data={name: grid}",
            "optimizer.d.schedule=null",
        ],
    )
    assert recipe.optimizer.g.options["lr"] == 1e-4
    assert recipe.objective.name == "wasserstein"
    assert recipe.penalties["wgan_gp"] == {"weight": 3}
    assert recipe.data.name == "grid"
    assert recipe.optimizer.d.schedule is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("-2E+3", -2000.0),
        ("1.5e3", 1500.0),
        (".5e1", 5.0),
        ("7", 7),
        ("true", True),
        ("null", None),
        ("e5", "e5"),
        ("[1e-3, 2]", [1e-3, 2]),
    ],
)
def test_numbers_mean_what_they_say(text: str, value: object) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_types_are_strict_but_json_like() -> None:
    assert check([0, 0.9], tuple[float, float], "betas") == (0.0, 0.9)
    assert check(1, float, "x") == 1.0
    assert check("a/b", Path, "x") == Path("a/b")
    for value, annotation in (("1", int), (True, int), (1.0, int), ("x", float), (True, float)):
        with pytest.raises(ConfigError, match=r"^here "):
            check(value, annotation, "here")


def test_every_part_of_every_catalogue_has_checkable_options() -> None:
    for kind, catalogue in catalogues().items():
        assert catalogue, kind
        for name, make in catalogue.items():
            for parameter in inspect.signature(make).parameters.values():
                assert parameter.kind is not parameter.VAR_POSITIONAL, (kind, name)
            assert inspect.getdoc(make), (kind, name)


def test_construct_passes_what_the_host_gives_only_where_it_is_taken() -> None:
    def make(latent: int, width: int = 3) -> dict[str, int]:
        return {"latent": latent, "width": width}

    given = {"latent": 5, "size": 8}
    arguments: dict[str, Any] = {"where": "network", "given": given}
    assert construct({"x": make}, "network", "x", {"width": 4}, **arguments) == {
        "latent": 5,
        "width": 4,
    }
    with pytest.raises(ConfigError, match=r"network\.latent is set by the rest"):
        construct({"x": make}, "network", "x", {"latent": 4}, **arguments)
    with pytest.raises(
        ConfigError, match=r"unknown option of network \(x\) 'widht'; did you mean 'width'"
    ):
        construct({"x": make}, "network", "x", {"widht": 4}, **arguments)
    with pytest.raises(ConfigError, match=r"network \(x\) needs 'latent'"):
        construct({"x": make}, "network", "x", {}, where="network")


def test_data_is_scaled_to_what_the_generator_can_reach() -> None:
    parts = assemble(load_recipe("digits", ["network.output=sigmoid"]), Engine("cpu"))
    assert isinstance(parts.source, Rescaled)
    batch = parts.stream()
    assert float(batch.x.min()) == 0.0
    assert float(batch.x.max()) == 1.0
    parts = assemble(load_recipe("digits"), Engine("cpu"))
    assert isinstance(parts.source, Digits)


def test_first_weights_depend_on_the_seed_alone() -> None:
    def first(*changes: str) -> list[float]:
        parts = assemble(load_recipe("rings", changes), Engine("cpu"))
        return [float(p.detach().sum()) for p in parts.game.g.parameters()]

    assert first() == first("batch=32", "optimizer.g.lr=1e-2", "penalties={}")
    assert first() != first("seed=1")


def test_augmentations_and_constraints_by_name() -> None:
    recipe = load_recipe(
        "digits",
        [
            "data.augment={random_crop: {pad: 1}, rotation: {degrees: 5}}",
            "constraints.weight_clip.limit=0.05",
            "update={rule: alternating, d_steps: 5}",
        ],
    )
    parts = assemble(recipe, Engine("cpu"))
    assert "RandomCrop" in str(parts.source.fingerprint()["augment"])
    assert parts.game.constraints[0].limit == 0.05
    assert parts.rule.d_steps == 5


def test_every_field_of_the_schema_refuses_nonsense() -> None:
    """A wrong type for each leaf of the trunk gives one line that names the key."""
    base = load_recipe("rings").model_dump(mode="json")

    def leaves(tree: dict[str, Any], prefix: str = "") -> list[str]:
        found = []
        for key, value in tree.items():
            path = f"{prefix}{key}"
            if isinstance(value, dict) and value:
                found += leaves(value, f"{path}.")
            else:
                found.append(path)
        return found

    for path in leaves(base):
        for nonsense in ("{a: {b: 1}}", "[[1]]"):
            with pytest.raises(ConfigError) as caught:
                assemble(load_recipe(base, [f"{path}={nonsense}"]), Engine("cpu"))
            message = str(caught.value)
            assert "\n" not in message
            assert path.split(".")[0].rstrip("s") in message, (path, message)
            assert len(message) < 300, message


def test_schema_defaults_are_documented_in_a_dump() -> None:
    text = dump_recipe(load_recipe("digits"))
    for key in Recipe.model_fields:
        assert f"{key}:" in text
