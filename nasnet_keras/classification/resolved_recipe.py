"""A recipe as it is run: with its genotype itself, and without what its network does not have."""

from __future__ import annotations

import dataclasses
from typing import Any

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipes import get_recipe, list_recipes
from nasnet_keras.genotypes import LayerwiseGenotype
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.models.presets import get_preset

# What only networks of cells have, and the value that says that there is none of it.
_OF_CELLS: dict[str, Any] = {
    "num_cells": None,
    "filters": None,
    "stem_filters": None,
    "drop_path_keep_probability": None,
    "drop_path_version": None,
    "auxiliary_weight": 0.0,
}


def is_layerwise(recipe: Recipe) -> bool:
    """Returns whether the network of a recipe with a genotype itself is layer-wise.

    Raises:
        ValueError: The network's name is unknown.
    """
    if recipe.genotype:
        return isinstance(recipe.genotype, LayerwiseGenotype)
    return isinstance(get_preset(recipe.model_name).config, LayerwiseConfig)


def resolved_recipe(recipe: Recipe) -> Recipe:
    """Returns a recipe as it is run.

    Recipes for networks of cells also train layer-wise ones, which have no auxiliary head and no
    drop path: what such a recipe says of these is left out.

    Args:
        recipe: The recipe.

    Raises:
        OSError: The genotype's file cannot be read.
        ValueError: A name is unknown; or a layer-wise network is given another setting of cells
            than the recipe of that name has.
    """
    recipe = recipe.with_cells()
    if not is_layerwise(recipe):
        return recipe
    own = get_recipe(recipe.name) if recipe.name in list_recipes() else Recipe
    for name, nothing in _OF_CELLS.items():
        value = getattr(recipe, name)
        if value not in (nothing, getattr(own, name)):
            genotype = recipe.genotype
            network = recipe.model_name if isinstance(genotype, str | None) else genotype.name
            raise ValueError(
                f"{name}={value} is for networks of cells; {network!r} consists of single layers"
            )
    return dataclasses.replace(recipe, **_OF_CELLS)
