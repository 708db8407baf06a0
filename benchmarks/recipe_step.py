"""A recipe's network as its trainer makes it, and a random batch for it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from nasnet_keras.classification.objective import LOGITS, add_weight_decay, cross_entropies
from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipe_network import build_training_network
from nasnet_keras.training.precision import precision

# Of the schedules of drop path and learning rate: any length will do.
STEPS, _STEPS_PER_EPOCH = 100_000, 1_000


def compiled_network(recipe: Recipe, classes: int) -> keras.Model:
    """Returns the network, ready for its first step."""
    losses, weights = cross_entropies(recipe.auxiliary_weight, recipe.label_smoothing)
    with precision(recipe.precision):
        model = build_training_network(recipe, classes, STEPS)
        add_weight_decay(model, recipe.weight_decay)
        model.compile(
            make_optimizer(recipe, make_learning_rate(recipe, STEPS, _STEPS_PER_EPOCH)),
            loss=losses,
            loss_weights=weights,
            metrics={LOGITS: [keras.metrics.CategoricalAccuracy("accuracy")]},
        )
        model.optimizer.build(model.trainable_variables)
        # What `fit` does before its first step: metrics have their variables then.
        model._symbolic_build(data_batch=(*random_batch(recipe, classes, 1), None))
    return model


def random_batch(recipe: Recipe, classes: int, count: int) -> tuple[Any, Any]:
    """Returns random images and their targets for each output."""
    size = recipe.train_image_size
    images = np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype("float32")
    labels = np.eye(classes, dtype="float32")[np.arange(count) % classes]
    outputs, _ = cross_entropies(recipe.auxiliary_weight)
    return images, dict.fromkeys(outputs, labels)
