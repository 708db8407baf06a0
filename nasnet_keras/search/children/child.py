"""The children of a search for image classifiers: an architecture in, its held-out accuracy out."""

from __future__ import annotations

import functools
import hashlib
import shutil
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipes import get_recipe
from nasnet_keras.genotypes import Genotype
from nasnet_keras.models.complexity import count_multiply_adds, count_parameters
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.presets import get_preset
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.executors.executor import Job
from nasnet_keras.search.spaces.space import Space
from nasnet_keras.training.log import LOG_NAME

GENOTYPE_NAME = "genotype.json"
_TRAINING = "training"

# What training a child imports, for the process that the children are forked from. None of it runs
# an operation: a backend that has begun to cannot be forked.
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
# What `search_child` becomes for other datasets. The test split is never looked at.
_OF_DATASET: dict[str, dict[str, Any]] = {
    "cifar10": _CIFAR,
    "cifar100": _CIFAR,
    # As small as shows a difference between cells: seconds for each child.
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
_OF_OTHERS = {"dataset_split_name": "train[:90%]", "evaluation_split_name": "train[90%:]"}
_CLASSES = {"digits": 10, "cifar10": 10, "cifar100": 100}


@dataclass(frozen=True)
class ClassifierChild:
    """Trains the network of a genotype by the recipe `search_child`.

    Args:
        dataset_name: The dataset, part of whose training images are held out for the reward.
        dataset_dir: Where datasets are.
        overrides: Values of the recipe that replace those for this dataset. Where they name
            `filters` and not `stem_filters`, the stem has three times as many.
        latency_runs: Predictions of one image, whose median is the latency; 0: none is measured.
        limits: `max_latency_ms` turns an architecture down before its training.

    Raises:
        ValueError: A name is unknown, a value out of range, or a limit needs what is not measured.
    """

    recipe_name = "search_child"

    dataset_name: str = "cifar10"
    dataset_dir: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    latency_runs: int = 5
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.latency_runs < 0:
            raise ValueError(f"latency_runs is 0 or more, got {self.latency_runs}")
        if self.limits.max_latency_ms is not None and not self.latency_runs:
            raise ValueError("max_latency_ms needs latency_runs of at least 1")
        self.recipe(0)  # Refuses what is wrong with the overrides.

    def config(self) -> dict[str, Any]:
        """Returns what tells these children from others, JSON-ready.

        The directory of the dataset is none of it, for it may move; what is in it is.

        Raises:
            OSError: The dataset is missing.
            ValueError: The dataset does not do.
        """
        return {
            "dataset_name": self.dataset_name,
            "recipe": self.recipe_name,
            **self._values(),
            "latency_runs": self.latency_runs,
            **self._data(),
        }

    def recipe(self, seed: int) -> Recipe:
        """Returns how a child is trained; its genotype is to be added."""
        return get_recipe(self.recipe_name).override(
            dataset_name=self.dataset_name, seed=seed, **self._values()
        )

    def network(self, genotype: Genotype) -> NetworkConfig:
        """Returns a child's network as it predicts, without drop path, as data."""
        values = self.recipe(0).network_overrides() | {"drop_path_keep_probability": 1.0}
        return get_preset(_model_name(genotype)).config.replace(genotype=genotype, **values)

    def costs(self, genotype: Genotype) -> dict[str, int]:
        """Returns the parameters of a child and the multiply-adds of one image's way through it."""
        size = self.recipe(0).train_image_size
        network, classes = self.network(genotype), self._classes()
        return {
            "parameters": count_parameters(network, classes=classes),
            "multiply_adds": count_multiply_adds(network, (size, size, 3), classes=classes),
        }

    def check(self, space: Space) -> None:
        """Refuses what no child could be trained with: a space, a dataset or sizes of the network.

        Raises:
            OSError: The dataset is missing.
            ValueError: The space describes no cells, the dataset is unknown, or no network has
                such sizes.
        """
        import numpy as np

        from nasnet_keras.data.sources.registry import check_dataset

        genotype = space.decode(space.sample(np.random.default_rng(0)))
        if not isinstance(genotype, Genotype):
            raise ValueError(f"space {space.name!r} describes no cells: its networks are not built")
        recipe = self.recipe(0)
        for split in (recipe.dataset_split_name, recipe.evaluation_split_name):
            check_dataset(self.dataset_name, split, self.dataset_dir)
        self.costs(genotype)

    def __call__(self, job: Job) -> dict[str, Any]:
        """Trains a child; a training that was cut off goes on.

        Returns:
            `reward`, the accuracy on the images held out; `parameters`, `multiply_adds`,
            `latency_ms` (where measured) and `train_seconds`.
        """
        genotype: Genotype = job.description
        genotype.save(job.directory / GENOTYPE_NAME)
        values: dict[str, Any] = dict(self.costs(genotype))
        if self.latency_runs:
            values["latency_ms"] = round(self._latency(genotype), 3)
            reason = self.limits.violation(values)
            if reason is not None:
                return {"reward": None, "rejected": reason, **values}
        began = time.perf_counter()
        reward = self._train(job, genotype)
        return {
            "reward": reward,
            **values,
            "train_seconds": round(time.perf_counter() - began, 3),
        }

    def _train(self, job: Job, genotype: Genotype) -> float:
        from rich.console import Console

        from nasnet_keras.classification.run_options import RunOptions
        from nasnet_keras.classification.trainer import train

        recipe = self.recipe(job.seed).override(genotype=genotype, model_name=_model_name(genotype))
        directory = job.directory / _TRAINING
        options = RunOptions(dataset_dir=self.dataset_dir, tensorboard=False)
        evaluation = train(recipe, directory, Console(), options)
        if evaluation is None:
            raise RuntimeError("told to stop; the training goes on where it was")
        self._end_training(job)
        return evaluation.accuracy

    def _end_training(self, job: Job) -> None:
        # The weights of thousands of children would fill a disk, and the best are trained anew.
        directory = job.directory / _TRAINING
        (directory / LOG_NAME).replace(job.directory / LOG_NAME)
        shutil.rmtree(directory)

    def _latency(self, genotype: Genotype) -> float:
        """Returns the median time of a prediction of one image, in milliseconds."""
        import numpy as np

        from nasnet_keras.models import build_network

        size = self.recipe(0).train_image_size
        model = build_network(self.network(genotype), self._classes(), (size, size, 3))
        image = np.zeros((1, size, size, 3), "float32")
        model.predict_on_batch(image)  # Compiles.
        times = []
        for _ in range(self.latency_runs):
            began = time.perf_counter()
            model.predict_on_batch(image)
            times.append(1000 * (time.perf_counter() - began))
        return statistics.median(times)

    def _classes(self) -> int:
        if self.dataset_name in _CLASSES:
            return _CLASSES[self.dataset_name]
        _, class_names = self._training_data()
        return len(class_names)

    def _training_data(self) -> tuple[int, tuple[str, ...]]:
        """Returns the number of the images and the names of their classes."""
        split = self.recipe(0).dataset_split_name
        return _training_data(self.dataset_name, split, self.dataset_dir)

    def _data(self) -> dict[str, Any]:
        """Returns what tells the images from others of that name; nothing where the name does."""
        if self.dataset_name in _CLASSES:
            return {}
        images, class_names = self._training_data()
        # A thousand names would bury what else differs.
        names = hashlib.sha256("\n".join(class_names).encode()).hexdigest()[:16]
        return {
            "data": {
                "training_images": images,
                "classes": len(class_names),
                "class_names_digest": names,
            }
        }

    def _of_dataset(self) -> dict[str, Any]:
        """Returns what the recipe becomes for the dataset."""
        return _OF_DATASET.get(self.dataset_name, _OF_OTHERS)

    def _values(self) -> dict[str, Any]:
        """Returns what differs from the recipe."""
        values = {**self._of_dataset(), **self.overrides}
        if "filters" in values and "stem_filters" not in values:
            values["stem_filters"] = 3 * values["filters"]
        return values


@functools.cache
def _training_data(name: str, split: str, directory: str | None) -> tuple[int, tuple[str, ...]]:
    # Once a process: the costs of every proposal ask for it, and it may take a walk over a disk.
    from nasnet_keras.data.sources.registry import find_examples

    examples = find_examples(name, split, directory)
    return len(examples), tuple(examples.class_names)


def _model_name(genotype: Genotype) -> str:
    """Returns the preset whose frame the cells are put into."""
    return "pnasnet_cifar" if genotype.reduction is None else "nasnet_cifar"
