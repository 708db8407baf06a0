"""From a recipe to the network that is trained."""

from __future__ import annotations

import keras

from nasnet_keras.classification.objective import LOGITS
from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.resolved_recipe import is_layerwise
from nasnet_keras.data.augmentation import Augmentation
from nasnet_keras.genotypes import Genotype
from nasnet_keras.models import build_network, endpoints
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.models.preset_config import preset_config
from nasnet_keras.settings import hints
from nasnet_keras.training.step.training_network import TrainingNetwork


def recipe_network_config(recipe: Recipe, **overrides: object) -> NetworkConfig | LayerwiseConfig:
    """Returns the network of a recipe as data.

    Cells without a reduction cell, as PNASNet's, replace those of any network: the resolution is
    then halved by a normal cell of stride 2. What a layer-wise network does not have is left out.

    Args:
        recipe: The recipe.
        **overrides: Fields of `NetworkConfig` that replace the recipe's.

    Raises:
        OSError: The genotype's file cannot be read.
        ValueError: The values do not fit together, or a name is unknown.
    """
    recipe = recipe.with_cells()
    values = {**recipe.network_overrides(), **overrides}
    if is_layerwise(recipe):
        if values.get("rematerialize"):
            raise ValueError(
                "rematerialize computes cells again, and a layer-wise network has none"
            )
        values = {name: values[name] for name in hints(LayerwiseConfig) if name in values}
    if recipe.genotype:
        values["genotype"] = recipe.genotype
        if isinstance(recipe.genotype, Genotype) and recipe.genotype.reduction is None:
            values["reduction"] = "strided_normal"
    return preset_config(recipe.model_name, **values)


def build_training_network(
    recipe: Recipe, classes: int, total_steps: int, rematerialize: bool = False
) -> TrainingNetwork:
    """Builds the network of a recipe with augmentation, auxiliary head and drop path.

    Args:
        recipe: The recipe.
        classes: Number of classes.
        total_steps: Length of the run, which is drop path's schedule.
        rematerialize: Compute the cells again on the way back, for less memory.

    Returns:
        A network with the outputs `"logits"` and, unless its weight is 0, `"auxiliary_logits"`.

    Raises:
        ValueError: The network and its settings do not fit together.
    """
    config = recipe_network_config(
        recipe, drop_path_total_steps=total_steps, rematerialize=rematerialize
    )
    # Nothing of the network that a recipe names is left where layers replace its cells.
    name = config.genotype.name if isinstance(config, LayerwiseConfig) else recipe.model_name
    size = recipe.train_image_size
    image = keras.Input((size, size, 3), name="image")
    augmented = Augmentation(recipe.augmentation, recipe.seed, name="augmentation")(image)
    model = build_network(
        config,
        classes=classes,
        input_tensor=augmented,
        auxiliary_head=recipe.auxiliary_weight > 0,
        name=name,
    )
    outputs = model.output
    if recipe.auxiliary_weight == 0:
        outputs = {LOGITS: endpoints(model)["Logits"]}
    return TrainingNetwork(image, outputs, name=name)
