"""What is measured: networks, precisions, batches; and the same in tiny, for a CPU."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipes import get_recipe
from nasnet_keras.genotypes import Block, Branch, CellGenotype, Genotype

FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"


@dataclass(frozen=True)
class Case:
    """A network in a precision.

    Attributes:
        network: Name of the network.
        recipe_name: The recipe whose training step is measured.
        precision: Keras's dtype policy.
        training_batches: Images in a step, the smallest first; larger ones are tried while they
            gain.
        inference_batches: The same for inference.
        overrides: Fields of the recipe that are replaced.
        classes: Number of classes; the network's own by default.
    """

    network: str
    recipe_name: str
    precision: str
    training_batches: tuple[int, ...]
    inference_batches: tuple[int, ...]
    overrides: dict[str, Any] = dataclasses.field(default_factory=dict)
    classes: int | None = None

    def recipe(self) -> Recipe:
        """Returns the recipe as measured."""
        return get_recipe(self.recipe_name).override(precision=self.precision, **self.overrides)

    def number_of_classes(self) -> int:
        # Imports Keras, which the process that starts the others does not need.
        from nasnet_keras.models import get_preset

        return self.classes or get_preset(self.network).classes


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        matrix: Side of the matrices whose product is timed.
        array_bytes: Size of the array whose copy is timed.
        golden: Networks that are compared with the original's numbers.
        block_seconds: Time that a block of steps should take.
        rounds: Blocks of each side.
        cases: Of each part, in order.
    """

    matrix: int
    array_bytes: int
    golden: tuple[str, ...]
    block_seconds: float
    rounds: int
    cases: dict[str, tuple[Case, ...]]


_LARGE = "nasnet_large", "nasnet_large_imagenet"
_MOBILE = "nasnet_mobile", "nasnet_mobile_imagenet"
_CIFAR = "nasnet_cifar", "nasnet_cifar"

# The first batches are what 80 GB hold with certainty: a larger one costs a compilation.
FULL = Sizes(
    matrix=8192,
    array_bytes=2**30,
    golden=("nasnet_cifar", "nasnet_mobile", "pnasnet_mobile"),
    block_seconds=0.5,
    rounds=7,
    cases={
        "large": (Case(*_LARGE, BFLOAT16, (64, 128), (128, 256)),),
        "small": (
            Case(*_CIFAR, BFLOAT16, (256, 1024), (1024, 4096)),
            Case(*_MOBILE, BFLOAT16, (256, 512), (512, 1024)),
        ),
        "float32": (
            Case(*_LARGE, FLOAT32, (32, 64), (64, 128)),
            Case(*_CIFAR, FLOAT32, (256, 1024), (1024, 4096)),
            Case(*_MOBILE, FLOAT32, (128, 256), (256, 512)),
        ),
    },
)

# As little to compile as a network can be.
_CELL = CellGenotype((Block(Branch("conv_1x1", 0), Branch("identity", 1)),), (2,))
_TINY: dict[str, Any] = {
    "genotype": Genotype("tiny", _CELL, _CELL),
    "num_cells": 2,
    "filters": 8,
    "stem_filters": 8,
    "augmentation": "none",
    "auxiliary_weight": 0.0,
    "drop_path_keep_probability": 1.0,
}
_TINY_IMAGENET = {**_TINY, "train_image_size": 67, "moving_average_decay": 0.0}
TINY = Sizes(
    matrix=256,
    array_bytes=2**22,
    golden=("nasnet_cifar",),
    block_seconds=0.02,
    rounds=3,
    cases={
        "large": (Case(*_LARGE, BFLOAT16, (2,), (2,), {**_TINY_IMAGENET, "num_cells": 3}, 10),),
        "small": (Case(*_CIFAR, BFLOAT16, (2,), (2,), _TINY, 10),),
        "float32": (Case(*_MOBILE, FLOAT32, (2,), (2, 4), _TINY_IMAGENET, 10),),
    },
)
