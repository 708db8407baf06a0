"""The children of a search for image classifiers: an architecture in, its held-out accuracy out."""

from __future__ import annotations

import functools
import hashlib
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipe_network import recipe_network_config
from nasnet_keras.classification.recipes import get_recipe
from nasnet_keras.classification.resolved_recipe import resolved_recipe
from nasnet_keras.genotypes import Genotype, NetworkGenotype
from nasnet_keras.models.complexity import count_multiply_adds, count_parameters
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.feature_sizes import check_input_size
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.search.children.measurement import (
    MeasuredBy,
    check_measured_by,
    measure,
    measurement_config,
)
from nasnet_keras.search.children.rewards import MEASURED, Reward
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.executors.executor import Job
from nasnet_keras.search.spaces.space import Space
from nasnet_keras.training.log import LOG_NAME

if TYPE_CHECKING:
    from nasnet_keras.classification.evaluation import Evaluation

GENOTYPE_NAME = "genotype.json"
_TRAINING = "training"

# What training a child imports, for the process that children are forked from. None of these runs
# an operation: an initialized backend cannot be forked.
PRELOAD = (
    "keras",
    "matplotlib.figure",
    "sklearn.datasets",
    "sklearn.metrics",
    "sklearn.model_selection",
    "nasnet_keras.models",
    "nasnet_keras.classification.trainer",
    __name__,
)

_CIFAR = {"dataset_split_name": "train[:45000]", "evaluation_split_name": "train[45000:]"}
# Changes to `search_child` by dataset. The test split is never used.
_OF_DATASET: dict[str, dict[str, Any]] = {
    "cifar10": _CIFAR,
    "cifar100": _CIFAR,
    # As small as still shows differences between cells: seconds a child.
    "digits": {
        "dataset_split_name": "train[:75%]",
        "evaluation_split_name": "train[75%:]",
        "num_cells": 3,
        "filters": 4,
        "train_image_size": 8,
        "preprocessing_name": "scale",
        "augmentation": "shift",
        "batch_size": 64,
        "epochs": 5,
        "learning_rate": 0.1,
    },
}
_BY_DEFAULT = {"dataset_split_name": "train[:90%]", "evaluation_split_name": "train[90%:]"}
_CLASSES = {"digits": 10, "cifar10": 10, "cifar100": 100}


@dataclass(frozen=True)
class ClassifierChild:
    """Trains the network of a genotype by the recipe `search_child`.

    Args:
        dataset_name: The dataset; some of its training images are held out for the reward.
        dataset_dir: Directory of the datasets.
        overrides: Values of the recipe that replace those for this dataset. Where they name
            `filters` and not `stem_filters`, the stem has three times as many.
        latency_runs: Predictions of one image whose median time is the latency; 0: neither latency
            nor memory is measured.
        limits: `max_latency_ms` rejects an architecture before its training.
        reward: What the reward follows from.
        measured_by: How latency and memory are measured.

    Raises:
        ValueError: A name is unknown, a value is out of range, or a limit or the reward needs a
            measurement that is off.
    """

    recipe_name = "search_child"
    evaluate_every_epochs: ClassVar[int] = 0

    dataset_name: str = "cifar10"
    dataset_dir: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    latency_runs: int = 5
    limits: Limits = field(default_factory=Limits)
    reward: Reward = field(default_factory=Reward)
    measured_by: MeasuredBy = "wall_clock"

    def __post_init__(self) -> None:
        if self.latency_runs < 0:
            raise ValueError(f"latency_runs is at least 0, got {self.latency_runs}")
        if self.limits.max_latency_ms is not None and not self.latency_runs:
            raise ValueError("max_latency_ms needs latency_runs of at least 1")
        if self.reward.cost in MEASURED and not self.latency_runs:
            raise ValueError(f"reward={self.reward.reward!r} needs latency_runs of at least 1")
        self.recipe(0)  # Checks the overrides.

    def config(self) -> dict[str, Any]:
        """Returns what identifies how children are trained, JSON-ready.

        The dataset counts by its content, not by its directory, which may move.

        Raises:
            OSError: The dataset is missing.
            ValueError: The dataset is unsuitable.
        """
        return {
            "dataset_name": self.dataset_name,
            "recipe": self.recipe_name,
            **self._values(),
            **measurement_config(self.measured_by, self.latency_runs),
            **self.reward.config(),
            **self._data(),
        }

    def recipe(self, seed: int) -> Recipe:
        """Returns the recipe of a child, without its genotype."""
        return get_recipe(self.recipe_name).override(
            dataset_name=self.dataset_name, seed=seed, **self._values()
        )

    def network(self, genotype: NetworkGenotype) -> NetworkConfig | LayerwiseConfig:
        """Returns the configuration of a child's network for prediction, without drop path."""
        recipe = self.recipe(0).override(genotype=genotype, model_name=self._model_name(genotype))
        return recipe_network_config(resolved_recipe(recipe), drop_path_keep_probability=1.0)

    def costs(self, genotype: NetworkGenotype) -> dict[str, int]:
        """Returns a child's parameters and its multiply-adds for one image.

        Raises:
            ValueError: The network cannot have such sizes, or the images are too small for it.
        """
        size = self.recipe(0).train_image_size
        network, classes = self.network(genotype), self._classes()
        return {
            "parameters": count_parameters(network, classes=classes),
            "multiply_adds": count_multiply_adds(network, (size, size, 3), classes=classes),
        }

    def check(self, space: Space) -> None:
        """Refuses a space, a dataset or network sizes that children cannot be trained with.

        Raises:
            OSError: The dataset is missing.
            ValueError: The space does not describe networks, the dataset is unknown, the network
                cannot have such sizes, or what is to be measured cannot be.
        """
        import numpy as np

        from nasnet_keras.data.sources.registry import check_dataset

        genotype = space.decode(space.sample(np.random.default_rng(0)))
        if not isinstance(genotype, NetworkGenotype):
            raise ValueError(f"space {space.name!r} describes no networks that can be built")
        recipe = self.recipe(0)
        for split in (recipe.dataset_split_name, recipe.evaluation_split_name):
            check_dataset(self.dataset_name, split, self.dataset_dir)
        self._check_network(genotype)
        if self.latency_runs:
            check_measured_by(self.measured_by, memory=self.reward.cost == "peak_bytes")

    def _check_network(self, genotype: NetworkGenotype) -> None:
        # Where one network can have these sizes, all of a space of cells can.
        self.costs(genotype)
        network, recipe = self.network(genotype), self.recipe(0)
        if isinstance(network, NetworkConfig):
            size = recipe.train_image_size
            check_input_size(network, (size, size, 3), recipe.auxiliary_weight > 0)

    def _problem(self, genotype: NetworkGenotype) -> str:
        """Says why there is no such network; an empty string if there is."""
        return ""

    def __call__(self, job: Job) -> dict[str, Any]:
        """Trains a child; an interrupted training is resumed.

        Returns:
            `reward`; `accuracy` on the held-out images, where that is not the reward itself;
            `parameters`, `multiply_adds`, `latency_ms` and `peak_bytes` (where measured), and
            `train_seconds`.
        """
        genotype: NetworkGenotype = job.description
        genotype.save(job.directory / GENOTYPE_NAME)
        if problem := self._problem(genotype):
            return {"reward": None, "rejected": problem}
        values: dict[str, Any] = dict(self.costs(genotype))
        if self.latency_runs:
            values |= self._measured(genotype)
            reason = self.limits.violation(values)
            if reason is not None:
                return {"reward": None, "rejected": reason, **values}
        began = time.perf_counter()
        accuracy = self._train(job, genotype)
        if self.reward.cost is not None:
            values["accuracy"] = accuracy
        return {
            "reward": self.reward(accuracy, values),
            **values,
            "train_seconds": round(time.perf_counter() - began, 3),
        }

    def _train(self, job: Job, genotype: NetworkGenotype) -> float:
        from nasnet_keras.classification.run_options import RunOptions
        from nasnet_keras.classification.trainer import train
        from nasnet_keras.text.plain_console import PlainConsole

        recipe = self.recipe(job.seed).override(
            genotype=genotype, model_name=self._model_name(genotype)
        )
        directory = job.directory / _TRAINING
        options = RunOptions(
            dataset_dir=self.dataset_dir,
            tensorboard=False,
            evaluate_every_epochs=self.evaluate_every_epochs,
        )
        evaluation = train(recipe, directory, PlainConsole(), options)
        if evaluation is None:
            raise RuntimeError("asked to stop; the training can be resumed")
        accuracy = self._accuracy(directory, evaluation)
        self._end_training(job)
        return accuracy

    def _accuracy(self, directory: Path, evaluation: Evaluation) -> float:
        return evaluation.accuracy

    def _end_training(self, job: Job) -> None:
        # The weights of thousands of children would fill a disk, and the best are retrained.
        directory = job.directory / _TRAINING
        (directory / LOG_NAME).replace(job.directory / LOG_NAME)
        shutil.rmtree(directory)

    def _measured(self, genotype: NetworkGenotype) -> dict[str, Any]:
        from nasnet_keras.models import build_network

        size = self.recipe(0).train_image_size
        model = build_network(self.network(genotype), self._classes(), (size, size, 3))
        return measure(model, self.measured_by, self.latency_runs)

    def _classes(self) -> int:
        if self.dataset_name in _CLASSES:
            return _CLASSES[self.dataset_name]
        _, class_names = self._training_data()
        return len(class_names)

    def _training_data(self) -> tuple[int, tuple[str, ...]]:
        """Returns the number of images and the class names."""
        split = self.recipe(0).dataset_split_name
        return _training_data(self.dataset_name, split, self.dataset_dir)

    def _data(self) -> dict[str, Any]:
        """Returns what identifies the images, where the dataset's name does not."""
        if self.dataset_name in _CLASSES:
            return {}
        images, class_names = self._training_data()
        # A digest: a thousand names would hide other differences.
        names = hashlib.sha256("\n".join(class_names).encode()).hexdigest()[:16]
        return {
            "data": {
                "training_images": images,
                "classes": len(class_names),
                "class_names_digest": names,
            }
        }

    def _model_name(self, genotype: NetworkGenotype) -> str:
        """Returns the preset that the cells or layers are put into."""
        if not isinstance(genotype, Genotype):
            return "nas_v1"
        return "pnasnet_cifar" if genotype.reduction is None else "nasnet_cifar"

    def _of_dataset(self) -> dict[str, Any]:
        """Returns the changes to the recipe for the dataset."""
        return _OF_DATASET.get(self.dataset_name, _BY_DEFAULT)

    def _values(self) -> dict[str, Any]:
        """Returns all changes to the recipe."""
        values = {**self._of_dataset(), **self.overrides}
        if "filters" in values and "stem_filters" not in values:
            values["stem_filters"] = 3 * values["filters"]
        return values


@functools.cache
def _training_data(name: str, split: str, directory: str | None) -> tuple[int, tuple[str, ...]]:
    # Cached: every proposal's costs need it, and listing the files may be slow.
    from nasnet_keras.data.sources.registry import find_examples

    examples = find_examples(name, split, directory)
    return len(examples), tuple(examples.class_names)
