"""The recipe schema, the named recipes, and the way from a recipe to a trained run."""

from steadygan.recipes.running import resume as resume
from steadygan.recipes.running import train as train
from steadygan.recipes.schema import Recipe as Recipe
from steadygan.recipes.session import Summary as Summary
from steadygan.recipes.sources import load_recipe as load_recipe
from steadygan.recipes.sources import named_recipes as named_recipes

__all__ = ["Recipe", "Summary", "load_recipe", "named_recipes", "resume", "train"]
