"""A configuration and a dataset in, a trained detector out."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from PIL import Image
from rich.console import Console

from nasnet_keras.detection.configuration.run_config import RunConfig
from nasnet_keras.detection.configuration.streams import image_ids_of_step, training_stream
from nasnet_keras.detection.configuration.training_config import TrainingConfig
from nasnet_keras.detection.data.annotation_checks import AnnotationError
from nasnet_keras.detection.data.batches import DetectionStream, detection_batches
from nasnet_keras.detection.data.datasets import load_detection_index
from nasnet_keras.detection.data.detection_index import DetectionIndex, check_same_classes
from nasnet_keras.detection.evaluation.coco_metrics import DetectionMetrics, write_results
from nasnet_keras.detection.modeling.faster_rcnn import LOSSES, FasterRCNN
from nasnet_keras.detection.training.board import DetectorBoard
from nasnet_keras.detection.training.evaluator import DetectorEvaluator
from nasnet_keras.detection.training.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.detection.training.run_options import DetectorRunOptions
from nasnet_keras.detection.training.start import start_detector_from
from nasnet_keras.detection.visualization.contact_sheets import training_sheet
from nasnet_keras.training.callbacks import (
    EvaluateEpochs,
    SaveRun,
    StopAtNonFiniteLoss,
    StopWhenAsked,
)
from nasnet_keras.training.checkpoint import RestoreMetrics, restore_checkpoint
from nasnet_keras.training.curves import Panels
from nasnet_keras.training.distribution import TrainingStrategy, make_strategy
from nasnet_keras.training.fit import fit_run
from nasnet_keras.training.preemption import StopRequest, stop_requests
from nasnet_keras.training.progress import ProgressBar
from nasnet_keras.training.run_directory import CHECKPOINT_NAME, read_config, write_config
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.whole_files import check_can_write, make_directory, written_whole

METRICS_NAME, RESULTS_NAME = "metrics.json", "results.json"
_SCORE = "evaluation_AP"
_PANELS: Panels = {
    "loss": (
        ("loss", "all, weighted", "tab:blue"),
        (LOSSES[0], "boxes of regions", "tab:cyan"),
        (LOSSES[1], "object or not", "tab:olive"),
        (LOSSES[2], "boxes", "tab:orange"),
        (LOSSES[3], "classes", "tab:red"),
    ),
    "average precision": (
        (_SCORE, "AP", "tab:blue"),
        ("evaluation_AP50", "AP50", "tab:orange"),
        ("evaluation_AP75", "AP75", "tab:green"),
    ),
    "learning rate": (("learning_rate", "", "tab:green"),),
}


@dataclass(frozen=True, eq=False)
class _Run:
    """What the parts of a run share."""

    config: TrainingConfig
    options: DetectorRunOptions
    strategy: TrainingStrategy
    directory: Path
    console: Console
    index: DetectionIndex
    length: RunLength

    @property
    def checkpoint(self) -> Path:
        return self.directory / CHECKPOINT_NAME

    @property
    def images_per_step(self) -> int:
        return self.config.batch_size * self.strategy.replicas

    @property
    def batches_per_step(self) -> int:
        return self.strategy.local_replicas // self.strategy.replicas_per_batch

    @property
    def batch_size(self) -> int:
        return self.config.batch_size * self.strategy.replicas_per_batch

    @property
    def shard(self) -> tuple[int, int]:
        return self.strategy.worker, self.strategy.workers

    def stream(self, step: int) -> DetectionStream:
        """Returns the batches of this worker after some steps."""
        first = step * self.batches_per_step
        return training_stream(self.config, self.index, first, self.shard, self.batch_size)

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)


def train(
    config: TrainingConfig,
    dataset_dir: str | os.PathLike[str],
    train_dir: str | os.PathLike[str],
    console: Console | None = None,
    options: DetectorRunOptions | None = None,
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

    Returns:
        COCO's numbers on the evaluation split; `None` where the run was told to stop before its
        end, and on workers other than the chief.

    Raises:
        AnnotationError: Something is wrong with the annotations or images; all of it is listed.
        KeyboardInterrupt: It was told so from the keyboard; the run is saved.
        NonFiniteLossError: The loss is no number any more; the batch's images are named.
        OSError: Something cannot be read or written.
        ValueError: A value is illegal, or the directory holds another run.
    """
    options = options or DetectorRunOptions()

    # ---- Everything that can be refused, before any work.
    strategy = make_strategy(options.distribution)
    console = (console or Console()) if strategy.is_chief else Console(quiet=True)
    directory = Path(train_dir)
    check_can_write(directory / CHECKPOINT_NAME)
    index, held_out = _load_splits(config, dataset_dir, options.drop_invalid)
    check_same_classes(index, held_out)
    config = config.override(classes=len(index.class_names))
    about = RunConfig(
        config,
        index.class_names,
        tuple(int(number) for number in index.category_ids),
        strategy.replicas,
        index.digest(),
    )
    _check_same_run(directory, about)
    shard = (strategy.worker, strategy.workers)
    batch_size = config.batch_size * strategy.replicas_per_batch
    whole = training_stream(config, index, 0, shard, batch_size)
    per_step = strategy.local_replicas // strategy.replicas_per_batch
    if whole.steps_per_epoch < per_step:
        raise ValueError(
            f"{len(index)} images to train on are fewer than a step's "
            f"{config.batch_size * strategy.replicas}"
        )
    length = RunLength(whole.steps_per_epoch // per_step, config.steps)
    run = _Run(config, options, strategy, directory, console, index, length)
    for split in (index, held_out):
        if split.dropped_images or split.dropped_boxes:
            run.say(
                f"{split.split}: {split.dropped_images} images and {split.dropped_boxes} boxes "
                "are left out"
            )

    # ---- Detector, new or as the last checkpoint left it. Only now is the directory made.
    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = FasterRCNN(config.detector, config.precision, config.seed, name="detector")
        on_jax = keras.backend.backend() == "jax"
        jit_compile = on_jax if options.jit_compile is None else options.jit_compile
        model.compile(make_optimizer(config), jit_compile=jit_compile)
        step, metrics = _restore(run, model)
    if not step and strategy.is_chief:
        make_directory(directory)
        write_config(about, directory)

    # ---- Training.
    evaluator = DetectorEvaluator(config, held_out, strategy.replicas)
    with stop_requests() as request, strategy.fit_scope():
        stopped = _fit(run, model, step, metrics, evaluator, request)
        # In the evaluation after the last step there is nobody to agree with.
        stopped = stopped or (strategy.is_chief and request.signal is not None)
    if stopped:
        strategy.agree_to_stop(True)  # Workers wait for the chief, which saves.
        run.say(f"saved {directory}; the same command goes on")
        if request.signal == signal.SIGINT:
            raise KeyboardInterrupt
        return None

    # ---- Score.
    result = None
    if strategy.is_chief:
        result, detections = evaluator.evaluate(model)
        write_results(directory / RESULTS_NAME, detections)
        write_metrics(directory / METRICS_NAME, result, held_out)
        run.say(
            f"AP {result.summary['AP']:.3f}, AP50 {result.summary['AP50']:.3f} on {result.images} "
            f"images; {directory} has the detector (model.keras)"
        )
    # Workers wait here: one that left would end the chief's process as well.
    strategy.agree_to_stop(False)
    return result


def write_metrics(path: Path, metrics: DetectionMetrics, index: DetectionIndex) -> None:
    """Writes COCO's numbers and each class's average precision as JSON.

    Args:
        path: The file.
        metrics: The numbers.
        index: What was scored.

    Raises:
        OSError: It cannot be written.
    """
    values = {
        "dataset": index.name,
        "split": index.split,
        "images": metrics.images,
        **metrics.summary,
        "per_class": metrics.per_class,
    }
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + "\n")


def _fit(
    run: _Run,
    model: FasterRCNN,
    step: int,
    metrics: list[Any],
    evaluator: DetectorEvaluator,
    request: StopRequest,
) -> bool:
    """Trains to the end of the run; returns whether it was told to stop before."""
    config, options, strategy = run.config, run.options, run.strategy
    learning_rate = make_learning_rate(config)
    stop = StopWhenAsked(lambda: strategy.agree_to_stop(request.signal is not None))
    bar = ProgressBar(
        run.console, run.length, run.images_per_step, options.log_every_n_steps, first_step=step
    )
    closing = contextlib.ExitStack()
    closing.callback(bar.close)
    callbacks: list[keras.callbacks.Callback] = [
        RestoreMetrics(metrics),
        StopAtNonFiniteLoss(run.checkpoint, learning_rate, _describe_step(run), first_step=step),
        stop,
    ]
    if strategy.is_chief:
        if config.evaluate_every_epochs:
            callbacks.append(
                EvaluateEpochs(
                    config.evaluate_every_epochs,
                    lambda on_progress: evaluator.logs(model, on_progress),
                    lambda: request.signal is not None,
                    bar.evaluating,
                )
            )
        callbacks.append(
            SaveRun(
                run.directory,
                CHECKPOINT_NAME,
                learning_rate,
                run.length,
                stop,
                options.save_interval_secs,
                options.keep_checkpoints,
                _SCORE,
                _PANELS,
                first_step=step,
            )
        )
        if options.tensorboard:
            board = DetectorBoard(
                run.directory / "tensorboard",
                step,
                options.log_every_n_steps,
                learning_rate,
                run.images_per_step,
                truth=lambda: _truth(run),
                detections=lambda: evaluator.picture,
            )
            callbacks.append(board)
            closing.callback(board.close)
    problems = []

    def batches_from(first: int) -> Any:
        stream = run.stream(first)
        problems.append(stream.problems)
        return stream.batches

    with closing:
        return fit_run(
            model,
            strategy,
            run.length,
            step,
            batches_from,
            [*callbacks, bar],
            stop,
            lambda: next((problem.error for problem in problems if problem.error), None),
        )


def _load_splits(
    config: TrainingConfig, dataset_dir: str | os.PathLike[str], drop_invalid: bool
) -> list[DetectionIndex]:
    """Reads the splits to train and to score on; what is wrong with either is raised at once."""
    indices, errors = [], []
    for split in (config.dataset_split_name, config.evaluation_split_name):
        try:
            indices.append(load_detection_index(dataset_dir, split, drop_invalid))
        except AnnotationError as error:
            errors.append(error)
    if errors:
        # Two parts of one split have the same problems.
        messages = dict.fromkeys(map(str, errors))
        problems = dict.fromkeys(problem for error in errors for problem in error.problems)
        raise AnnotationError("\n".join(messages), tuple(problems))
    return indices


def _describe_step(run: _Run) -> Callable[[int], str]:
    def describe(step: int) -> str:
        ids = image_ids_of_step(
            run.config, run.index, step, run.shard, run.batches_per_step, run.batch_size
        )
        return f", images {', '.join(map(str, ids))}"

    return describe


def _truth(run: _Run) -> Image.Image:
    """Returns a sheet of the first images as training sees them."""
    config = run.config
    stream = detection_batches(
        run.index,
        config.detector.image_size,
        min(8, len(run.index)),
        True,
        config.keep_aspect,
        config.augmentation,
        config.seed,
    )
    batch = next(stream.batches.take(1).as_numpy_iterator())
    return training_sheet([batch], run.index.class_names)


def _restore(run: _Run, model: FasterRCNN) -> tuple[int, list[Any]]:
    """Gives a new detector its weights; returns the steps done and the metrics of the epoch."""
    if run.checkpoint.exists():
        state = restore_checkpoint(model, run.checkpoint)
        run.say(f"continuing {run.directory} after step {state.step} of {run.length.total_steps}")
        return state.step, state.metrics
    if run.options.checkpoint_path:
        names = run.index.class_names
        run.say(start_detector_from(model, run.options.checkpoint_path, names))
    elif not run.config.detector.train_batch_norm:
        run.say(
            "the weights are random and batch normalization does not learn, so the detector hardly "
            "will: start from a classifier (checkpoint_path), or set train_batch_norm"
        )
    return 0, []


def _check_same_run(directory: Path, about: RunConfig) -> None:
    if not (directory / CHECKPOINT_NAME).exists():
        return
    before = read_config(RunConfig, directory)
    if before is None:
        raise ValueError(f"{directory} has a {CHECKPOINT_NAME}, but is no run to continue")
    differences = about.training.differences(before.training)
    if about.class_names != before.class_names:
        differences.append("the classes are others")
    elif about.category_ids != before.category_ids or about.data != before.data:
        differences.append(f"the images or boxes of {about.training.dataset_split_name} are others")
    if about.replicas != before.replicas:
        differences.append(f"replicas were {before.replicas}, now {about.replicas}")
    if differences:
        raise ValueError(
            f"{directory} holds a run with other settings ({'; '.join(differences)}): give those, "
            "or another directory"
        )
