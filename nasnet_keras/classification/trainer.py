"""A recipe and a directory in, a trained network out."""

from __future__ import annotations

import contextlib
import os
import signal
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from rich.console import Console

from nasnet_keras.classification.board import ClassifierBoard
from nasnet_keras.classification.evaluation import Evaluation
from nasnet_keras.classification.evaluator import Evaluator
from nasnet_keras.classification.objective import LOGITS, add_weight_decay, cross_entropies
from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.classification.recipe_network import build_training_network, recipe_network_config
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
from nasnet_keras.data.sources.registry import check_dataset, fits_in_memory
from nasnet_keras.layers.batch_normalization import synchronize_batch_norm
from nasnet_keras.training.callbacks import (
    EvaluateEpochs,
    SaveRun,
    StopAtNonFiniteLoss,
    StopWhenAsked,
    rate_at,
)
from nasnet_keras.training.checkpoint import RestoreMetrics, restore_checkpoint
from nasnet_keras.training.distribution import TrainingStrategy, make_strategy
from nasnet_keras.training.fine_tuning import describe_start, set_trainable, start_from
from nasnet_keras.training.fit import fit_run
from nasnet_keras.training.optimizers.schedules import LearningRate
from nasnet_keras.training.precision import precision
from nasnet_keras.training.preemption import StopRequest, stop_requests
from nasnet_keras.training.progress import ProgressBar
from nasnet_keras.training.run_directory import CHECKPOINT_NAME, write_config
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.whole_files import check_can_write, make_directory


@dataclass(frozen=True, eq=False)
class _Run:
    """What the parts of a run share."""

    recipe: Recipe
    options: RunOptions
    strategy: TrainingStrategy
    directory: Path
    console: Console

    @property
    def checkpoint(self) -> Path:
        return self.directory / CHECKPOINT_NAME

    @property
    def images_per_step(self) -> int:
        return self.recipe.batch_size * self.strategy.replicas

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)


def train(
    recipe: Recipe,
    train_dir: str | os.PathLike[str],
    console: Console | None = None,
    options: RunOptions | None = None,
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

    Returns:
        The result on the evaluation split; `None` where the run was told to stop before its end,
        and on workers other than the chief.

    Raises:
        KeyboardInterrupt: It was told so from the keyboard; the run is saved.
        NonFiniteLossError: The loss is no number any more.
        OSError: Something cannot be read or written.
        ValueError: A name in the recipe is unknown, its values contradict each other, or the
            directory holds another run.
    """
    options = options or RunOptions()
    recipe = recipe.with_cells()

    # ---- Everything that can be refused, before any work.
    if not options.download:
        for split in (recipe.dataset_split_name, recipe.evaluation_split_name):
            check_dataset(recipe.dataset_name, split, options.dataset_dir)
    in_memory = fits_in_memory(recipe.dataset_name, options.dataset_dir)
    check_training_preprocessing(recipe.preprocessing_name, streamed=not in_memory)
    recipe_network_config(recipe, drop_path_total_steps=1)
    check_augmentation(recipe.augmentation)
    strategy = make_strategy(options.distribution)
    console = (console or Console()) if strategy.is_chief else Console(quiet=True)
    run = _Run(recipe, options, strategy, Path(train_dir), console)
    check_can_write(run.checkpoint)
    _check_same_run(run)

    # ---- Data.
    losses, loss_weights = cross_entropies(recipe.auxiliary_weight, recipe.label_smoothing)
    data = open_training_data(
        recipe,
        options.dataset_dir,
        list(losses),
        recipe.batch_size * strategy.replicas_per_batch,
        strategy.workers,
        strategy.worker,
        strategy.local_replicas // strategy.replicas_per_batch,
        options.download,
        as_dataset=strategy.takes_datasets,
    )
    _check_same_data(run, data)
    epoch_steps = recipe.epoch_steps(data.num_examples // run.images_per_step)
    length = RunLength(epoch_steps, recipe.total_steps(epoch_steps))
    steps_per_epoch = data.num_examples / run.images_per_step

    # ---- Model, new or as the last checkpoint left it. Only now is the directory made.
    keras.utils.set_random_seed(recipe.seed)
    with precision(recipe.precision), strategy.scope():
        model = build_training_network(
            recipe, len(data.class_names), length.total_steps, options.rematerialize
        )
        model.accumulation_steps = recipe.gradient_accumulation_steps
        synchronize_batch_norm(model, recipe.synchronize_batch_norm)
        set_trainable(model, _scopes(recipe.trainable_scopes), recipe.freeze_batch_norm)
        add_weight_decay(model, recipe.weight_decay)
        model.compile(
            make_optimizer(recipe, length.total_steps, steps_per_epoch, strategy.replicas),
            loss=losses,
            loss_weights=loss_weights,
            metrics={LOGITS: [keras.metrics.CategoricalAccuracy("accuracy")]},
            steps_per_execution=recipe.steps_per_execution,
            jit_compile="auto" if options.jit_compile is None else options.jit_compile,
        )
        step, metrics = _restore(run, model, length)
    if not step and strategy.is_chief:
        make_directory(run.directory)
        write_config(
            RunConfig(recipe, data.class_names, strategy.replicas, data.num_examples), run.directory
        )
        if in_memory:
            test = load_dataset(
                recipe.dataset_name, recipe.evaluation_split_name, options.dataset_dir
            )
            write_samples(test, run.directory / "samples")
    learning_rate = make_learning_rate(
        recipe, length.total_steps, steps_per_epoch, strategy.replicas
    )
    if recipe.replicas != strategy.replicas:
        run.say(
            f"the recipe is for replicas={recipe.replicas} of {recipe.batch_size} images in step; "
            f"this run has {strategy.replicas}, and learning rate {rate_at(learning_rate, step):g}"
        )

    # ---- Training.
    evaluator = Evaluator(recipe, options.dataset_dir, len(data.class_names))
    with stop_requests() as request, strategy.fit_scope():
        stopped = _fit(run, model, data, length, step, metrics, learning_rate, evaluator, request)
        # In the evaluation after the last step there is nobody to agree with.
        stopped = stopped or (strategy.is_chief and request.signal is not None)
    if stopped:
        strategy.agree_to_stop(True)  # Workers wait for the chief, which saves.
        run.say(f"saved {run.directory}; the same command goes on")
        if request.signal == signal.SIGINT:
            raise KeyboardInterrupt
        return None

    # ---- Test.
    result = None
    if strategy.is_chief:
        result = evaluator.evaluate(model)
        result.write(run.directory)
        run.say(
            f"test accuracy {result.accuracy:.2%} of {result.images} images; {run.directory} has "
            "the network (model.keras) and the confusion matrix (confusion.png)"
        )
    # Workers wait here: one that left would end the chief's process as well.
    strategy.agree_to_stop(False)
    return result


def _fit(
    run: _Run,
    model: keras.Model,
    data: TrainingData,
    length: RunLength,
    step: int,
    metrics: list[Any],
    learning_rate: LearningRate,
    evaluator: Evaluator,
    request: StopRequest,
) -> bool:
    """Trains to the end of the run; returns whether it was told to stop before."""
    options, strategy = run.options, run.strategy
    counted: dict[str, Any] = {
        "first_step": step,
        "steps_per_execution": run.recipe.steps_per_execution,
    }
    stop = StopWhenAsked(lambda: strategy.agree_to_stop(request.signal is not None))
    bar = ProgressBar(
        run.console, length, run.images_per_step, options.log_every_n_steps, **counted
    )
    closing = contextlib.ExitStack()
    closing.callback(bar.close)
    callbacks: list[keras.callbacks.Callback] = [
        RestoreMetrics(metrics),
        StopAtNonFiniteLoss(run.checkpoint, learning_rate, **counted),
        stop,
    ]
    if strategy.is_chief:
        if options.evaluate_every_epochs:
            callbacks.append(
                EvaluateEpochs(
                    options.evaluate_every_epochs,
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
                length,
                stop,
                options.save_interval_secs,
                options.keep_checkpoints,
                **counted,
            )
        )
        if options.tensorboard:
            scalars = ClassifierBoard(
                run.directory / "tensorboard",
                step,
                options.log_every_n_steps,
                learning_rate,
                run.images_per_step,
            )
            callbacks.append(scalars)
            closing.callback(scalars.close)
    with closing, warnings.catch_warnings():
        # A searched cell need not use both inputs; what prepares the other one learns nothing.
        warnings.filterwarnings("ignore", "Gradients do not exist", UserWarning)
        return fit_run(
            model,
            strategy,
            length,
            step,
            data.worker_batches,
            [*callbacks, bar],
            stop,
            lambda: data.error,
        )


def _restore(run: _Run, model: keras.Model, length: RunLength) -> tuple[int, list[Any]]:
    """Gives a new network its weights; returns the steps done and the metrics of the epoch."""
    if run.checkpoint.exists():
        state = restore_checkpoint(model, run.checkpoint)
        run.say(f"continuing {run.directory} after step {state.step} of {length.total_steps}")
        return state.step, state.metrics
    if run.recipe.checkpoint_path:
        report = start_from(
            model,
            run.recipe.checkpoint_path,
            _scopes(run.recipe.checkpoint_exclude_scopes) or (),
            run.recipe.ignore_missing_vars,
        )
        run.say(f"starting with {describe_start(report)}")
    return 0, []


def _check_same_run(run: _Run) -> None:
    if not run.checkpoint.exists():
        return
    before = RunConfig.read(run.directory)
    if not before:
        raise ValueError(f"{run.directory} has a {CHECKPOINT_NAME}, but is no run to continue")
    now = RunConfig(run.recipe, before.class_names, run.strategy.replicas, before.images)
    differences = now.differences_of_run(before)
    if differences:
        raise ValueError(
            f"{run.directory} holds a run with other settings ({'; '.join(differences)}): give "
            "those, or another directory"
        )


def _check_same_data(run: _Run, data: TrainingData) -> None:
    """Refuses to go on with other images than those that the run began with."""
    before = RunConfig.read(run.directory) if run.checkpoint.exists() else None
    if before is None:
        return
    names, images = before.class_names, before.images
    if names != tuple(data.class_names) or images not in (None, data.num_examples):
        raise ValueError(
            f"{run.directory} holds a run on other data ({images} images of {len(names)} classes; "
            f"here are {data.num_examples} of {len(data.class_names)}): give that, or another "
            "directory"
        )


def _scopes(names: str | None) -> list[str] | None:
    return [name.strip() for name in names.split(",") if name.strip()] if names else None
