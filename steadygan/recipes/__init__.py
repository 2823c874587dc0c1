"""The recipe schema, the named recipes, the way from a recipe to a trained run, and from a run to scores."""

from steadygan.recipes.comparing import compare as compare
from steadygan.recipes.evaluating import evaluate as evaluate
from steadygan.recipes.running import resume as resume
from steadygan.recipes.running import train as train
from steadygan.recipes.schema import Recipe as Recipe
from steadygan.recipes.session import Summary as Summary
from steadygan.recipes.sources import load_recipe as load_recipe
from steadygan.recipes.sources import named_recipes as named_recipes

__all__ = [
    "Recipe",
    "Summary",
    "compare",
    "evaluate",
    "load_recipe",
    "named_recipes",
    "resume",
    "train",
]
