"""A small network of every kind, with every variable random, and its graph."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import nasnet_keras as nk
from nasnet_keras.export.graph import Graph
from nasnet_keras.export.graph.lowering import graph_of
from nasnet_keras.genotypes import OPERATIONS
from nasnet_keras.layers import Cell
from nasnet_keras.models import LayerwiseConfig
from nasnet_keras.models.inference import inference_model
from tests.layer_checks import randomize
from tests.layerwise_networks import MIXED, PLAIN

UNKNOWN = (None, None, 3)


def classifier(name: str, **options: Any) -> keras.Model:
    small: dict[str, Any] = {"num_cells": 3, "filters": 8, "classes": 5, "input_shape": UNKNOWN}
    small |= {"stem_filters": 6}
    return nk.create_model(name, **(small | options))


def with_logits(model: keras.Model) -> keras.Model:
    return inference_model(model)


def features(name: str, *names: str, **options: Any) -> keras.Model:
    return nk.feature_extractor(classifier(name, **options), names)


def rescaled() -> keras.Model:
    """A network on pixels in [0, 255], as a part of a larger model."""
    pixels = keras.Input((None, None, 3), name="pixels")
    x = keras.layers.Rescaling(1 / 127.5, -1.0, name="rescaling")(pixels)
    x = classifier("nasnet_mobile", include_top=False, pooling="avg")(x)
    x = keras.layers.Dense(4, "sigmoid")(keras.layers.Dropout(0.5)(x))
    return keras.Model(pixels, x)


def with_every_cell() -> keras.Model:
    """NASNet-A mobile but for its width."""
    return classifier("nasnet_mobile", num_cells=12)


def every_operation(strides: int, **options: Any) -> keras.Model:
    """One cell with every operation, on both inputs."""
    names = list(OPERATIONS)
    blocks = tuple(
        nk.Block(nk.Branch(left, 0), nk.Branch(right, 1))
        for left, right in zip(names, reversed(names), strict=True)
    )
    genotype = nk.CellGenotype(blocks, concat=tuple(range(len(blocks) + 2)))
    times = options.get("previous_reduction", 1)
    inputs = [keras.Input((10, 9, 6)), keras.Input((10 * times, 9 * times - times + 1, 8))]
    cell = Cell(genotype, 8, strides, **options)
    return keras.Model(inputs, cell(inputs))


FIXED = {"input_shape": (64, 79, 3)}
DROPPING = {"drop_path_keep_probability": 0.5, "drop_path_total_steps": 9, "dropout": 0.5}
MAKERS: dict[str, Callable[[], keras.Model]] = {
    "nasnet_a": lambda: classifier("nasnet_mobile"),
    "nasnet_a_skips_reductions": lambda: with_logits(classifier("nasnet_large")),
    "nasnet_a_cifar": lambda: classifier("nasnet_cifar"),
    "nasnet_a_with_auxiliary_head": lambda: classifier(
        "nasnet_cifar", input_shape=(32, 32, 3), auxiliary_head=True
    ),
    "nasnet_a_without_it": lambda: with_logits(
        classifier("nasnet_cifar", input_shape=(32, 32, 3), auxiliary_head=True)
    ),
    "nasnet_a_bounded": lambda: classifier("nasnet_mobile", bounded_activation=True),
    "nasnet_a_dropping": lambda: classifier("nasnet_mobile", **DROPPING),
    "nasnet_a_padded_as_timm": lambda: classifier("nasnet_mobile", padding="timm", **FIXED),
    "nasnet_a_padded_as_keras": lambda: classifier(
        "nasnet_mobile", padding="keras_applications", **FIXED
    ),
    "nasnet_a_maximum": lambda: classifier("nasnet_mobile", include_top=False, pooling="max"),
    "nasnet_a_features": lambda: features("nasnet_mobile", "Cell_0", "Cell_2", "Stem"),
    "nasnet_a_rescaled": rescaled,
    "nasnet_b": lambda: classifier("nasnet_b_cifar", classifier_activation=None),
    "nasnet_b_imagenet": lambda: classifier("nasnet_b_mobile", bounded_activation=True),
    "nasnet_b_states": lambda: features("nasnet_b_cifar", "Cell_0", "Logits"),
    "nasnet_c": lambda: classifier("nasnet_c_mobile", include_top=False),
    "pnasnet": lambda: classifier("pnasnet_mobile"),
    "amoebanet_a": lambda: classifier("amoebanet_a_mobile"),
    "amoebanet_b": lambda: classifier("amoebanet_b_mobile"),
    "amoebanet_c": lambda: classifier("amoebanet_c_large", bounded_activation=True),
    "layerwise": lambda: nk.build_network(LayerwiseConfig(MIXED), 5, (10, 13, 3)),
    "layerwise_of_any_size": lambda: nk.build_network(LayerwiseConfig(PLAIN), 5, UNKNOWN),
    "every_operation": lambda: every_operation(1),
    "every_operation_strided": lambda: every_operation(2),
    "every_operation_bounded": lambda: every_operation(
        2, bottleneck=True, bounded_activation=True, previous_reduction=2
    ),
}


@functools.cache
def network(name: str) -> keras.Model:
    model = MAKERS[name]()
    randomize(model)
    return model


@functools.cache
def graph(name: str) -> Graph:
    return graph_of(network(name))


def example(model: keras.Model, seed: int = 0) -> list[np.ndarray]:
    """Returns small random images for each input of a model."""
    generator = np.random.default_rng(seed)
    images = []
    shrinks = any(layer.name in ("conv0", "rescaling") for layer in model.layers)
    for x in model.inputs:
        small = (37, 44) if shrinks else (10, 13)
        sides = [side or unknown for side, unknown in zip(x.shape[1:3], small, strict=True)]
        images.append(generator.normal(size=(2, *sides, x.shape[-1])).astype("float32"))
    return images
