"""Small networks that start from other weights or train in part, and what moved in them."""

from typing import Any

import keras
import numpy as np

from nasnet_keras.classification import Recipe, get_recipe
from nasnet_keras.classification.objective import cross_entropies
from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.classification.trainer import build_training_network
from tests.one_block_cells import GENOTYPE

TINY = get_recipe("digits").override(
    genotype=GENOTYPE, num_cells=2, filters=2, stem_filters=4, epochs=1
)


def build(classes: int = 10, recipe: Recipe = TINY, **changes: Any) -> keras.Model:
    return build_training_network(recipe.override(**changes), classes, 5)


def arrays(model):
    return {v.path: keras.ops.convert_to_numpy(v).copy() for v in model.weights}


def randomize(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "float" in str(variable.dtype):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))


def compile_network(model, recipe=TINY):
    losses, weights = cross_entropies(recipe.auxiliary_weight)
    model.compile(
        make_optimizer(recipe, make_learning_rate(recipe, 2, 2)), loss=losses, loss_weights=weights
    )


def fit(model):
    """Trains two steps on random images and returns the values before."""
    before = arrays(model)
    outputs: Any = model.output
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (8, 16, 16, 3)).astype(np.float32)
    targets = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 8)]
    model.fit(images, dict.fromkeys(outputs, targets), batch_size=4, epochs=1, verbose=0)
    return before


def changed(model, before):
    return {
        path for path, value in arrays(model).items() if not np.array_equal(value, before[path])
    }
