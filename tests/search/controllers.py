"""Small controllers, for tests of what they are made of and of what trains them."""

import numpy as np

from nasnet_keras.search import (
    CategoricalSpace,
    Space,
)
from nasnet_keras.search.strategies.controller import Controller
from nasnet_keras.search.strategies.controller_sampling import unroll

SMALL = CategoricalSpace(
    "small", {"a": (1, 2, 3), "b": ("x", "y"), "c": (1, 2, 3), "d": (5,)}, {"a": "k", "c": "k"}
)


TINY = {"units": (6,), "embedding_size": 5}


def sampled(
    space: Space, controller: Controller, rows: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    uniforms = np.random.default_rng(seed).random((rows, len(space.decisions)))
    return unroll(controller.named_weights(), controller.tables, uniforms=uniforms)


def controller_of(space: Space, scale: float = 0.8, **settings: object) -> Controller:
    # Weights so large that no decision is near uniform.
    return Controller(space.decisions, initial_scale=scale, seed=3, **settings)  # type: ignore[arg-type]
