"""A configuration and a dataset in, a trained detector out."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from PIL import Image
from rich.console import Console

from nasnet_keras.data.check.unreadable import refuse_unreadable
from nasnet_keras.detection.configuration.dataset_fit import misfits
from nasnet_keras.detection.configuration.run_config import RunConfig
from nasnet_keras.detection.configuration.streams import image_ids_of_step, training_stream
from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.annotation_checks import AnnotationError
from nasnet_keras.detection.data.batches import DetectionStream, detection_batches
from nasnet_keras.detection.data.datasets import load_detection_index
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.evaluation.coco_metrics import (
    SUMMARY_NAMES,
    DetectionMetrics,
    write_scores,
)
from nasnet_keras.detection.modeling.faster_rcnn import LOSSES, FasterRCNN
from nasnet_keras.detection.training.board import DetectorBoard
from nasnet_keras.detection.training.evaluator import DetectorEvaluator, Scored
from nasnet_keras.detection.training.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.detection.training.run_options import DetectorRunOptions
from nasnet_keras.detection.training.start import start_detector_from
from nasnet_keras.detection.visualization.contact_sheets import training_sheet
from nasnet_keras.training.callbacks.checks import check_callbacks
from nasnet_keras.training.curves import Panels
from nasnet_keras.training.optimizers.schedules import LearningRate
from nasnet_keras.training.run import Run
from nasnet_keras.training.run_directory import write_config
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.task import Task
from nasnet_keras.training.trainer import train_task

_PANELS: Panels = {
    "loss": (
        ("loss", "all, weighted", "tab:blue"),
        (LOSSES[0], "boxes of regions", "tab:cyan"),
        (LOSSES[1], "object or not", "tab:olive"),
        (LOSSES[2], "boxes", "tab:orange"),
        (LOSSES[3], "classes", "tab:red"),
    ),
    "average precision": (
        ("evaluation_AP", "AP", "tab:blue"),
        ("evaluation_AP50", "AP50", "tab:orange"),
        ("evaluation_AP75", "AP75", "tab:green"),
    ),
    "learning rate": (("learning_rate", "", "tab:green"),),
}


def train(
    config: TrainingConfig,
    dataset_dir: str | os.PathLike[str],
    train_dir: str | os.PathLike[str],
    console: Console | None = None,
    options: DetectorRunOptions | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> DetectionMetrics | None:
    """Trains a detector, or continues where an earlier call was cut off, and scores it.

    The directory receives `config.json` (the configuration as run, the names of the classes),
    `model.keras` (the last checkpoint: detector, optimizer and place in the run), `best.keras` (of
    the best AP), `checkpoints/` where the options ask for it, `metrics.jsonl` (a line for each
    epoch), `curves.png`, `tensorboard/`, and at the end `metrics.json` and `results.json` of the
    last weights.

    SIGTERM and the first Ctrl-C save the run after the step at hand and end it. The same call
    continues at the exact batch, to the same weights.

    Args:
        config: What to train and how; the dataset decides the number of classes.
        dataset_dir: See `load_detection_index`.
        train_dir: The run directory.
        console: Where to print progress; `None` for standard output.
        options: How to carry the run out.
        callbacks: Your own, called and saved as those of a classifier's training. What is scored
            are COCO's numbers, `evaluation_AP` and so on.

    Returns:
        COCO's numbers on the evaluation split; `None` where the run was told to stop before its
        end, and on workers other than the chief.

    Raises:
        AnnotationError: Something is wrong with the annotations or images; all of it is listed.
        CallbackError: A callback raised an error; the last checkpoint is kept.
        KeyboardInterrupt: It was told so from the keyboard; the run is saved.
        NonFiniteLossError: The loss is not finite any more; the batch's images are named.
        OSError: Something cannot be read or written.
        ValueError: A value is illegal, or the directory holds another run; a callback cannot be
            used.
    """
    task = _Detection(config, dataset_dir, options or DetectorRunOptions(), callbacks)
    return train_task(task, train_dir, console)


class _Detection(Task[DetectionMetrics]):
    """A configuration and a dataset as `train_task` takes them; see `train`."""

    config_type = RunConfig
    score = "evaluation_AP"
    panels = _PANELS

    def __init__(
        self,
        config: TrainingConfig,
        dataset_dir: str | os.PathLike[str],
        options: DetectorRunOptions,
        callbacks: Sequence[keras.callbacks.Callback],
    ) -> None:
        self.config = config
        self.dataset_dir = dataset_dir
        self.options: DetectorRunOptions = options
        self.seed = config.seed
        self.batch_size = config.batch_size
        self.image_size = {"image_size": config.detector.image_size}
        self.evaluate_every_epochs = config.evaluate_every_epochs
        self.callbacks = callbacks
        self.streams: list[DetectionStream] = []
        self._class_names = config.class_names
        self._proportional_parts = True
        self._has_other_images = False
        self._unchecked = 0

    def check(self) -> None:
        values = ["loss", *LOSSES]
        if self.evaluate_every_epochs:
            values += [f"evaluation_{name}" for name in SUMMARY_NAMES]
        check_callbacks(self.callbacks, values, self.options.distribution)

    def differences(self, before: RunConfig) -> list[str]:
        # What the run began with, also where its dataset has another class by now.
        self._class_names = self.config.class_names or before.class_names
        self._proportional_parts = before.proportional_parts
        now = self._run_config
        differences = now.training.differences(before.training)
        # Files may have broken since, or been mended.
        self._has_other_images = now.data != before.data and self.options.drop_invalid
        same_images = now.data == before.data or self.options.drop_invalid
        if now.category_ids != before.category_ids or not same_images:
            split = now.training.dataset_split_name
            differences.append(f"the images or boxes of {split} differ")
        if now.replicas != before.replicas:
            differences.append(f"replicas were {before.replicas}, now {now.replicas}")
        return differences

    def open(self, directory: Path, before: RunConfig | None) -> tuple[RunLength, LearningRate]:
        distribution, self.config = self.distribution, self._run_config.training
        self._shard = distribution.worker, distribution.workers
        self._images_per_batch = self.batch_size * distribution.replicas_per_batch
        batches, per_step = self._stream(0).steps_per_epoch, distribution.batches_per_step
        if batches < per_step:
            raise ValueError(
                f"{len(self._splits[0])} images to train on are fewer than a step's "
                f"{self.batch_size * distribution.replicas}"
            )
        return RunLength(batches // per_step, self.config.steps), make_learning_rate(self.config)

    def introduce(self, run: Run) -> None:
        lines = [line for split in self._splits for line in (split.summary(), *split.remarks())]
        if self._unchecked:
            lines.append(
                f"{self._unchecked} image files are not decoded in advance; `nasnet-keras "
                "check-data` looks at all"
            )
        if self._has_other_images:
            training = self._splits[0]
            lines.append(
                f"the run began with other images; it goes on with the {len(training)} of "
                f"{training.split}"
            )
        for line in dict.fromkeys([*lines, *misfits(self.config, *self._splits)]):
            run.say(line)

    def build(self, run: Run) -> FasterRCNN:
        config, jit_compile = self.config, self.options.jit_compile
        model = FasterRCNN(config.detector, config.precision, config.seed, name="detector")
        if jit_compile is None:
            jit_compile = keras.backend.backend() == "jax"
        model.compile(make_optimizer(config), jit_compile=jit_compile)
        return model

    def start(self, run: Run, model: Any) -> None:
        if self.options.checkpoint_path:
            names = self._splits[0].class_names
            run.say(start_detector_from(model, self.options.checkpoint_path, names))
        elif not self.config.detector.train_batch_norm:
            run.say(
                "the weights are random and batch normalization does not learn, so the detector "
                "hardly will: start from a classifier (checkpoint_path), or set train_batch_norm"
            )

    def write(self, run: Run) -> None:
        write_config(self._run_config, run.directory)

    def evaluator(self, run: Run) -> DetectorEvaluator:
        return DetectorEvaluator(self.config, self._splits[1], self.distribution.replicas)

    def board(self, run: Run, evaluator: DetectorEvaluator) -> DetectorBoard:
        return DetectorBoard(run, truth=self._truth, detections=lambda: evaluator.picture)

    def batches(self, first_step: int) -> Any:
        stream = self._stream(first_step)
        self.streams.append(stream)
        return stream.batches

    def data_error(self) -> Exception | None:
        return next((s.problems.error for s in self.streams if s.problems.error), None)

    def describe_step(self, step: int) -> str:
        count = self.distribution.batches_per_step
        ids = image_ids_of_step(
            self.config, self._splits[0], step, self._shard, count, self._images_per_batch
        )
        return f", images {', '.join(map(str, ids))}"

    def finish(self, run: Run, evaluation: Scored) -> DetectionMetrics:
        metrics, detections = evaluation
        write_scores(run.directory, self._splits[1], metrics, detections)
        run.say(
            f"AP {metrics.summary['AP']:.3f}, AP50 {metrics.summary['AP50']:.3f} on "
            f"{metrics.images} images; {run.directory} has the detector (model.keras)"
        )
        return metrics

    @functools.cached_property
    def _splits(self) -> list[DetectionIndex]:
        """The images to train on, and those to score on; what is wrong with either is listed."""
        splits: list[DetectionIndex] = []
        errors: list[AnnotationError] = []
        class_names = self._class_names
        for name in (self.config.dataset_split_name, self.config.evaluation_split_name):
            try:
                splits.append(self._read(name, class_names))
                class_names = splits[0].class_names
            except AnnotationError as error:
                errors.append(error)
        if errors:
            # Two parts of one split have the same problems.
            messages = dict.fromkeys(map(str, errors))
            problems = dict.fromkeys(problem for error in errors for problem in error.problems)
            raise AnnotationError("\n".join(messages), tuple(problems))
        if self.distribution.is_chief and not self.options.drop_invalid:
            self._unchecked = refuse_unreadable(splits, self.options.check_secs)
        return splits

    def _read(self, split: str, class_names: Sequence[str]) -> DetectionIndex:
        drop_invalid, proportional = self.options.drop_invalid, self._proportional_parts
        index = load_detection_index(
            *(self.dataset_dir, split, drop_invalid, class_names, proportional),
            exif_orientation=self.config.exif_orientation,
        )
        if index.crowd.all():
            left = "; ".join(index.remarks())
            raise ValueError(
                f"dataset {index.name}: {split} has no object, so there is nothing to learn or to "
                f"score{f' ({left})' if left else ''}"
            )
        return index

    @functools.cached_property
    def _run_config(self) -> RunConfig:
        index = self._splits[0]
        return RunConfig(
            self.config.override(classes=len(index.class_names)),
            index.class_names,
            tuple(int(number) for number in index.category_ids),
            self.distribution.replicas,
            index.digest(),
            self._proportional_parts,
        )

    def _stream(self, first_step: int) -> DetectionStream:
        """Returns the batches of this worker after some steps."""
        first_batch = first_step * self.distribution.batches_per_step
        return training_stream(
            self.config, self._splits[0], first_batch, self._shard, self._images_per_batch
        )

    def _truth(self) -> Image.Image:
        """Returns a sheet of the first images as training sees them."""
        config, index = self.config, self._splits[0]
        stream = detection_batches(
            index,
            config.detector.image_size,
            min(8, len(index)),
            training=True,
            keep_aspect=config.keep_aspect,
            augmentation=config.augmentation,
            seed=config.seed,
        )
        batch = next(stream.batches.take(1).as_numpy_iterator())
        return training_sheet([batch], index.class_names)
