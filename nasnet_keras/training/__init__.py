"""Recipes, objective, optimizers and the trainer (in `nasnet_keras.training.trainer`)."""

from nasnet_keras.training.recipe import Recipe
from nasnet_keras.training.recipes import get_recipe, list_recipes
from nasnet_keras.training.run_options import RunOptions

__all__ = ["Recipe", "RunOptions", "get_recipe", "list_recipes"]
