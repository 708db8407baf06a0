"""Classifiers: recipes, objective, trainer (in `nasnet_keras.classification.trainer`), scores."""

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipes import get_recipe, list_recipes
from nasnet_keras.classification.run_options import RunOptions

__all__ = ["Recipe", "RunOptions", "get_recipe", "list_recipes"]
