"""Networks with the golden weights, and the golden values of the original code."""

from __future__ import annotations

import functools
import zlib
from pathlib import Path

import keras
import numpy as np

import nasnet_keras as nk
from nasnet_keras.weights.slim_names import network_variables, slim_name

FOLDER = Path(__file__).parent / "golden"
NETWORKS = {"nasnet_cifar": (10, 32), "nasnet_mobile": (1001, 224), "pnasnet_mobile": (1001, 224)}
"""Classes and image size of each golden network."""


def golden_value(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the golden weight of a slim variable; the rule of `golden/README.md`."""
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    leaf = name.split("/")[-1]
    if leaf == "gamma":
        value = generator.uniform(0.5, 1.0, shape)
    elif leaf in ("beta", "moving_mean", "biases"):
        value = generator.normal(0, 0.1, shape)
    elif leaf == "moving_variance":
        value = generator.uniform(0.5, 1.5, shape)
    elif leaf == "depthwise_weights":
        value = generator.normal(0, (1 / (shape[0] * shape[1])) ** 0.5, shape)
    else:
        value = generator.normal(0, (1 / np.prod(shape[:-1])) ** 0.5, shape)
    return value.astype(np.float32)


def golden_network(name: str, auxiliary_head: bool = False) -> keras.Model:
    """Builds a golden network with its golden weights; without the head it returns logits."""
    classes, _ = NETWORKS[name]
    model = nk.create_model(
        name, classes, classifier_activation=None, auxiliary_head=auxiliary_head
    )
    for path, variable in network_variables(model).items():
        variable.assign(golden_value(slim_name(path), tuple(variable.shape)))
    return model


def golden_images(name: str, count: int, seed: int = 7) -> np.ndarray:
    size = NETWORKS[name][1]
    shape = (count, size, size, 3)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


@functools.cache
def golden_values(file: str = "slim_forward.npz") -> dict[str, np.ndarray]:
    with np.load(FOLDER / file, allow_pickle=False) as arrays:
        return dict(arrays)
