"""Recipes, objective, optimizers and the trainer (in `nasnet_keras.training.trainer`)."""

from nasnet_keras.training.recipe import Recipe
from nasnet_keras.training.recipes import get_recipe, list_recipes

__all__ = ["Recipe", "get_recipe", "list_recipes"]
