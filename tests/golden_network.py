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

WEIGHT_DECAY = {"nasnet_cifar": 5e-4, "nasnet_mobile": 4e-5, "pnasnet_mobile": 4e-5}
DECAYED = ("kernel", "depthwise_kernel", "pointwise_kernel")


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


def forward(model: keras.Model, images: np.ndarray, training: bool = False) -> dict:
    """Runs a model as one compiled function; all of its outputs as arrays."""
    if keras.backend.backend() == "jax":
        import jax

        weights = [v.value for v in model.trainable_variables]
        state = [v.value for v in model.non_trainable_variables]
        run = jax.jit(lambda x: model.stateless_call(weights, state, x, training=training)[0])
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        run = tf.function(lambda x: model(x, training=training))
    else:
        run = lambda x: model(x, training=training)  # noqa: E731
    return {key: keras.ops.convert_to_numpy(value) for key, value in run(images).items()}


def l2_sum(name: str, model: keras.Model) -> float:
    """slim's regularizer: weight decay times half the sum of squares of all kernels."""
    kernels = [v for path, v in network_variables(model).items() if path.endswith(DECAYED)]
    arrays = [keras.ops.convert_to_numpy(v.value).astype("float64") for v in kernels]
    return WEIGHT_DECAY[name] * sum(float((x**2).sum()) for x in arrays) / 2
