"""A recipe and a directory in, a trained network out."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from nasnet_keras.classification.board import ClassifierBoard
from nasnet_keras.classification.evaluation import Evaluation
from nasnet_keras.classification.evaluator import Evaluator
from nasnet_keras.classification.objective import (
    LOGITS,
    add_weight_decay,
    cross_entropies,
    logged_values,
    output_names,
)
from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipe_network import build_training_network, recipe_network_config
from nasnet_keras.classification.resolved_recipe import resolved_recipe
from nasnet_keras.classification.run_config import RunConfig
from nasnet_keras.classification.run_options import RunOptions
from nasnet_keras.classification.samples import write_samples
from nasnet_keras.classification.training_data import (
    TrainingData,
    check_training_preprocessing,
    open_training_data,
)
from nasnet_keras.data import load_dataset
from nasnet_keras.data.augmentation import check_augmentation
from nasnet_keras.data.check.unreadable import refuse_unreadable
from nasnet_keras.data.sources.registry import check_dataset, find_examples, fits_in_memory
from nasnet_keras.data.streams.pipeline import ReadBy
from nasnet_keras.layers.batch_normalization import synchronize_batch_norm
from nasnet_keras.text.suggestions import unknown_name
from nasnet_keras.training.callbacks.checks import check_callbacks
from nasnet_keras.training.callbacks.early_stopping import StopEarly
from nasnet_keras.training.curves import CLASSIFIER_PANELS
from nasnet_keras.training.distribution import Distribution
from nasnet_keras.training.fine_tuning import describe_start, set_trainable, start_from
from nasnet_keras.training.optimizers.schedules import LearningRate
from nasnet_keras.training.precision import precision
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_directory import write_config
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.step.extra_metrics import ExtraMetrics, check_metrics
from nasnet_keras.training.task import Task
from nasnet_keras.training.trainer import train_task


def train(
    recipe: Recipe,
    train_dir: str | os.PathLike[str],
    console: Console | None = None,
    options: RunOptions | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    metrics: Sequence[keras.metrics.Metric] = (),
) -> Evaluation | None:
    """Trains a network, or continues where an earlier call was cut off, and tests it.

    The directory receives `config.json` (the recipe as run), `model.keras` (the last checkpoint:
    network, optimizer and place in the run), `best.keras` and `checkpoints/` where the options ask
    for them, `metrics.jsonl` (a line for each epoch), `curves.png`, `tensorboard/`, `results.json`,
    `confusion.png`, and a few test images as PNG in `samples/`.

    SIGTERM and the first Ctrl-C save the run after the step at hand and end it. The same call
    continues at the exact batch, to the same weights.

    Args:
        recipe: What to train, on what, and how.
        train_dir: The run directory.
        console: Where to print progress; `None` for standard output.
        options: How to carry the run out.
        callbacks: Your own. What they remember is saved where they have `state_dict()`, JSON-ready,
            and `load_state_dict(state)`, or are Keras's EarlyStopping or ModelCheckpoint; others
            begin anew where a run goes on. One that sets `model.stop_training` ends the run.
        metrics: Your own, of one-hot labels and probabilities `(batch, classes)`; for training and
            for evaluation new ones of the same settings are made.

    Returns:
        The result on the evaluation split; `None` where the run was told to stop before its end,
        and on workers other than the chief.

    Raises:
        CallbackError: A callback raised an error; the last checkpoint is kept.
        KeyboardInterrupt: It was told so from the keyboard; the run is saved.
        NonFiniteLossError: The loss is not finite any more.
        OSError: Something cannot be read or written.
        ValueError: A name in the recipe is unknown, its values contradict each other, or the
            directory holds another run; a callback or metric cannot be used.
    """
    task = _Classification(recipe, options or RunOptions(), callbacks, metrics)
    return train_task(task, train_dir, console)


class _Classification(Task[Evaluation]):
    """A recipe as `train_task` takes it; see `train`."""

    config_type = RunConfig
    score = "evaluation_accuracy"
    panels = CLASSIFIER_PANELS

    def __init__(
        self,
        recipe: Recipe,
        options: RunOptions,
        callbacks: Sequence[keras.callbacks.Callback],
        metrics: Sequence[keras.metrics.Metric],
    ) -> None:
        self.recipe = recipe = resolved_recipe(recipe)
        self.options: RunOptions = options
        self.seed = recipe.seed
        self.batch_size = recipe.batch_size
        self.image_size = {"train_image_size": self.recipe.train_image_size}
        self.steps_per_execution = recipe.steps_per_execution
        self.evaluate_every_epochs = options.evaluate_every_epochs
        self.users_callbacks = callbacks
        self.metrics = metrics
        self._read_by: ReadBy | None = None

    def check(self) -> None:
        recipe, options = self.recipe, self.options
        if options.distribution == "ray":
            _check_for_shares(recipe, self.metrics)
        if not options.download:
            for split in (recipe.dataset_split_name, recipe.evaluation_split_name):
                check_dataset(recipe.dataset_name, split, options.dataset_dir)
        self.in_memory = fits_in_memory(recipe.dataset_name, options.dataset_dir)
        check_training_preprocessing(recipe.preprocessing_name, streamed=not self.in_memory)
        recipe_network_config(recipe, drop_path_total_steps=1, rematerialize=options.rematerialize)
        check_augmentation(recipe.augmentation)
        values = logged_values(recipe.auxiliary_weight)
        check_metrics(self.metrics, values)
        values += [metric.name for metric in self.metrics]
        if options.evaluate_every_epochs:
            names = ["accuracy", "loss", *(metric.name for metric in self.metrics)]
            values += [f"evaluation_{name}" for name in names]
        check_callbacks(self.users_callbacks, values, options.distribution)
        self.callbacks = [*self._early_stopping(values), *self.users_callbacks]

    def _early_stopping(self, values: Sequence[str]) -> list[StopEarly]:
        recipe, watched = self.recipe, self.recipe.early_stopping
        if watched is None:
            return []
        if watched not in values:
            raise ValueError(
                f"early_stopping={watched} is never computed: give evaluate_every_epochs too"
            )
        delta = recipe.early_stopping_min_delta
        return [StopEarly(watched, recipe.early_stopping_patience, delta)]

    def differences(self, before: RunConfig) -> list[str]:
        replicas = self.distribution.replicas
        now = RunConfig(self.recipe, before.class_names, replicas, before.images)
        return now.differences_of_run(before)

    def open(self, directory: Path, before: RunConfig | None) -> tuple[RunLength, LearningRate]:
        recipe, options, distribution = self.recipe, self.options, self.distribution
        self._unchecked = self._check_images()
        if before is not None:
            # Another reader gives another order and other changes. Earlier versions had the one.
            self._read_by = before.read_by or "tensorflow"
        self.data = open_training_data(
            recipe,
            options.dataset_dir,
            output_names(recipe.auxiliary_weight),
            recipe.batch_size * distribution.replicas_per_batch,
            distribution.workers,
            distribution.worker,
            distribution.batches_per_step,
            options.download,
            as_dataset=distribution.takes_datasets,
            drop_invalid=options.drop_invalid,
            allow_empty_classes=options.allow_empty_classes,
            read_by=self._read_by,
        )
        self._class_weights = _class_weights(recipe, self.data.class_names)
        ExtraMetrics(LOGITS, self.metrics).build(len(self.data.class_names))
        self._images = self.data.num_examples
        if before is not None:
            _check_same_data(directory, before, self.data, options.drop_invalid)
            # Epochs and the learning rate stay those that the run began with.
            self._images = before.images or self._images
        images_per_step = recipe.batch_size * distribution.replicas
        epoch_steps = recipe.epoch_steps(self._images // images_per_step)
        length = RunLength(epoch_steps, recipe.total_steps(epoch_steps))
        steps_per_epoch = self._images / images_per_step
        return length, make_learning_rate(
            recipe, length.total_steps, steps_per_epoch, distribution.replicas
        )

    def _check_images(self) -> int:
        """Refuses files that cannot be decoded; returns how many there was no time to look at."""
        recipe, options = self.recipe, self.options
        if self.in_memory or options.drop_invalid or not self.distribution.is_chief:
            return 0
        splits = [
            find_examples(
                *(recipe.dataset_name, split, options.dataset_dir),
                *(options.download, options.allow_empty_classes),
            )
            for split in (recipe.dataset_split_name, recipe.evaluation_split_name)
        ]
        return refuse_unreadable(splits, options.check_secs)

    def build(self, run: Run) -> keras.Model:
        recipe, options = self.recipe, self.options
        classes, steps = len(self.data.class_names), run.length.total_steps
        with precision(recipe.precision):
            model = build_training_network(recipe, classes, steps, options.rematerialize)
            model.accumulation_steps = recipe.gradient_accumulation_steps
            synchronize_batch_norm(model, recipe.synchronize_batch_norm)
            set_trainable(model, _scopes(recipe.trainable_scopes), recipe.freeze_batch_norm)
            add_weight_decay(model, recipe.weight_decay)
            model.class_weights = self._class_weights
            model.extra_metrics = ExtraMetrics(LOGITS, self.metrics)
            if not self.distribution.takes_datasets:
                model.extra_metrics.build(classes)
            losses, loss_weights = cross_entropies(recipe.auxiliary_weight, recipe.label_smoothing)
            model.compile(
                make_optimizer(recipe, run.learning_rate),
                loss=losses,
                loss_weights=loss_weights,
                metrics={LOGITS: [keras.metrics.CategoricalAccuracy("accuracy")]},
                steps_per_execution=recipe.steps_per_execution,
                jit_compile="auto" if options.jit_compile is None else options.jit_compile,
            )
        return model

    def start(self, run: Run, model: keras.Model) -> None:
        recipe = self.recipe
        if recipe.checkpoint_path:
            report = start_from(
                model,
                recipe.checkpoint_path,
                _scopes(recipe.checkpoint_exclude_scopes) or (),
                recipe.ignore_missing_vars,
            )
            run.say(f"starting with {describe_start(report)}")

    def write(self, run: Run) -> None:
        recipe, data = self.recipe, self.data
        replicas = self.distribution.replicas
        images, read_by = data.num_examples, data.read_by
        config = RunConfig(recipe, data.class_names, replicas, images, read_by)
        write_config(config, run.directory)
        if self.in_memory:
            test = load_dataset(
                recipe.dataset_name, recipe.evaluation_split_name, self.options.dataset_dir
            )
            write_samples(test, run.directory / "samples")

    def announce(self, run: Run) -> None:
        recipe, replicas = self.recipe, self.distribution.replicas
        if self._unchecked:
            run.say(
                f"{self._unchecked} image files are not decoded in advance; `nasnet-keras "
                "check-data` looks at all"
            )
        if self._images != self.data.num_examples:
            run.say(
                f"the run began with {self._images} images and goes on with "
                f"{self.data.num_examples}"
            )
        if recipe.replicas != replicas:
            run.say(
                f"the recipe is for replicas={recipe.replicas} of {recipe.batch_size} images in "
                f"step; this run has {replicas}, and learning rate "
                f"{run.learning_rate_at(run.first_step):g}"
            )

    def evaluator(self, run: Run) -> Evaluator:
        classes = len(self.data.class_names)
        return Evaluator(self.recipe, self.options, classes, self.metrics)

    def board(self, run: Run, evaluator: Any) -> ClassifierBoard:
        return ClassifierBoard(run)

    def batches(self, first_step: int, worker: int | None = None) -> Any:
        return self.data.worker_batches(first_step, worker)

    def for_shares(self, shares: int) -> Callable[[], Task[Evaluation]]:
        options, directory = self.options, self.options.dataset_dir
        if directory is not None:
            # Workers may run elsewhere.
            options = options.replace(dataset_dir=os.path.abspath(directory))
        return functools.partial(_open_for_shares, self.recipe, options, shares, self.data.read_by)

    def data_error(self) -> Exception | None:
        return self.data.error

    def finish(self, run: Run, evaluation: Evaluation) -> Evaluation:
        evaluation.write(run.directory)
        run.say(
            f"test accuracy {evaluation.accuracy:.2%} of {evaluation.images} images; "
            f"{run.directory} has the network (model.keras) and the confusion matrix "
            "(confusion.png)"
        )
        return evaluation


def _check_for_shares(recipe: Recipe, metrics: Sequence[keras.metrics.Metric]) -> None:
    """Refuses what needs all of a step's images, or several steps, in one process."""
    refused = {
        "steps_per_execution above 1": recipe.steps_per_execution > 1,
        "synchronize_batch_norm": recipe.synchronize_batch_norm,
        "precision mixed_float16 (mixed_bfloat16 works)": recipe.precision == "mixed_float16",
        "metrics of your own": bool(metrics),
    }
    for name, is_there in refused.items():
        if is_there:
            raise ValueError(f"{name} is not available with distribution ray")


def _open_for_shares(
    recipe: Recipe, options: RunOptions, shares: int, read_by: ReadBy | None
) -> Task[Evaluation]:
    """Returns a recipe's task, opened to compute shares; the run has looked at the images."""
    task = _Classification(recipe, options.replace(check_secs=0.0, download=False), (), ())
    task.distribution = Distribution("ray", options.num_workers or 1, workers=shares)
    task._read_by = read_by
    task.check()
    task.open(Path(), None)
    return task


def _check_same_data(
    directory: Path, before: RunConfig, data: TrainingData, drop_invalid: bool
) -> None:
    """Refuses to go on with other images than those that the run began with.

    Files may have broken since, or been mended; with `drop_invalid` there may be more or fewer.
    """
    names, images = before.class_names, before.images
    same_images = drop_invalid or images in (None, data.num_examples)
    if names != tuple(data.class_names) or not same_images:
        raise ValueError(
            f"{directory} holds a run on other data ({images} images of {len(names)} classes; "
            f"here are {data.num_examples} of {len(data.class_names)}): give that, or another "
            "directory"
        )


def _class_weights(recipe: Recipe, class_names: Sequence[str]) -> np.ndarray | None:
    weights = recipe.class_weights
    if not weights:
        return None
    for name in weights:
        if name not in class_names:
            raise ValueError(f"class_weights: {unknown_name('class', name, class_names)}")
    return np.array([weights.get(name, 1.0) for name in class_names], "float32")


def _scopes(names: str | None) -> list[str] | None:
    return [name.strip() for name in names.split(",") if name.strip()] if names else None
