"""A recipe and a directory in, a trained network out."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from rich.console import Console

from nasnet_keras.data import ImageDataset, load_dataset
from nasnet_keras.data.augmentation import Augmentation, check_augmentation
from nasnet_keras.data.batches import batches_per_epoch, shuffled_batches
from nasnet_keras.data.evaluation_batches import batches_in_memory
from nasnet_keras.data.labels_offset import offset_labels
from nasnet_keras.data.preprocessing import check_preprocessing, preprocess
from nasnet_keras.data.registry import check_dataset, fits_in_memory
from nasnet_keras.models import build_network, endpoints, get_preset
from nasnet_keras.training.callbacks import (
    SaveEveryEpoch,
    SeedEveryEpoch,
    StopAtNonFiniteLoss,
    StopAtStep,
)
from nasnet_keras.training.evaluation import Evaluation, evaluate
from nasnet_keras.training.moving_average import swapped_to_averages
from nasnet_keras.training.objective import LOGITS, add_weight_decay, cross_entropies
from nasnet_keras.training.optimizers import make_optimizer
from nasnet_keras.training.progress import ProgressBar
from nasnet_keras.training.recipe import Recipe
from nasnet_keras.training.schedules import make_learning_rate
from nasnet_keras.training.trained_model import (
    CHECKPOINT_NAME,
    load_model,
    read_config,
    write_config,
)
from nasnet_keras.whole_files import check_can_write, make_directory, written_whole

LOG_NAME = "metrics.jsonl"


def train(
    recipe: Recipe,
    train_dir: str | os.PathLike[str],
    console: Console | None = None,
    dataset_dir: str | os.PathLike[str] | None = None,
) -> Evaluation:
    """Trains a network, or continues where an earlier call was cut off, and tests it.

    The directory receives `config.json` (the recipe as run), `model.keras` (the last complete
    epoch: network and optimizer), `metrics.jsonl` (a line for each epoch),
    `results.json`, `confusion.png`, and a few test images as PNG in `samples/`.

    Args:
        recipe: What to train, on what, and how.
        train_dir: The run directory.
        console: Where to print progress; `None` for standard output.
        dataset_dir: Where datasets are; the digits need none.

    Returns:
        The result on the test split.

    Raises:
        OSError: The directory cannot be written to.
        ValueError: A name in the recipe is unknown, its values contradict each other, or the
            directory holds another run.
    """
    console = console or Console()

    # ---- Everything that can be refused, before any work.
    for split in (recipe.dataset_split_name, recipe.evaluation_split_name):
        check_dataset(recipe.dataset_name, split, dataset_dir)
    if not fits_in_memory(recipe.dataset_name):
        raise ValueError(
            f"dataset {recipe.dataset_name} does not fit in memory, and training from a stream is "
            "not there yet"
        )
    check_preprocessing(recipe.preprocessing_name)
    get_preset(recipe.model_name)
    check_augmentation(recipe.augmentation)
    directory = Path(train_dir)
    check_can_write(directory / CHECKPOINT_NAME)
    _check_same_run(recipe, directory)

    # ---- Data.
    dataset, test = (
        offset_labels(load_dataset(recipe.dataset_name, split, dataset_dir), recipe.labels_offset)
        for split in (recipe.dataset_split_name, recipe.evaluation_split_name)
    )
    classes = len(dataset.class_names)
    targets = np.eye(classes, dtype=np.float32)[dataset.labels]
    images = preprocess(dataset.images, recipe.preprocessing_name, recipe.train_image_size)
    losses, loss_weights = cross_entropies(recipe.auxiliary_weight, recipe.label_smoothing)
    epoch_steps = batches_per_epoch(len(dataset), recipe.batch_size)
    total_steps = recipe.total_steps(epoch_steps)
    steps_per_epoch = len(dataset) / recipe.batch_size

    # ---- Model, new or as the last complete epoch left it. Only now is the directory made.
    keras.utils.set_random_seed(recipe.seed)
    checkpoint = directory / CHECKPOINT_NAME
    resumes = checkpoint.exists()
    if resumes:
        model = load_model(checkpoint)
    else:
        model = build_training_network(recipe, classes, total_steps)
        model.compile(
            make_optimizer(recipe, total_steps, steps_per_epoch),
            loss=losses,
            loss_weights=loss_weights,
            metrics={LOGITS: [keras.metrics.CategoricalAccuracy("accuracy")]},
        )
        make_directory(directory)
        write_config(directory, recipe, dataset.class_names)
        _write_samples(test, directory / "samples")
    add_weight_decay(model, recipe.weight_decay)

    # ---- Training.
    step = int(model.optimizer.iterations)
    if resumes:
        console.print(
            f"continuing {directory} after step {step} of {total_steps}",
            highlight=False,
            soft_wrap=True,
        )
    if recipe.replicas > 1:
        console.print(
            f"the published run had {recipe.replicas} replicas of {recipe.batch_size} images in "
            f"step; this one has 1, and starts with learning rate {recipe.learning_rate:g}",
            highlight=False,
            soft_wrap=True,
        )
    if step < total_steps:
        batches = shuffled_batches(
            np.asarray(images), dict.fromkeys(losses, targets), recipe.batch_size, recipe.seed, step
        )
        bar = ProgressBar(console, total_steps, recipe.batch_size, step)
        try:
            model.fit(
                batches,
                shuffle=False,  # They are already.
                steps_per_epoch=epoch_steps,
                initial_epoch=step // epoch_steps,
                epochs=-(-total_steps // epoch_steps),
                callbacks=[
                    SeedEveryEpoch(recipe.seed),
                    StopAtNonFiniteLoss(
                        checkpoint, make_learning_rate(recipe, total_steps, steps_per_epoch), step
                    ),
                    StopAtStep(total_steps - step),
                    SaveEveryEpoch(checkpoint, directory / LOG_NAME),
                    bar,
                ],
                verbose=0,
            )
        finally:
            bar.close()

    # ---- Test.
    batches = batches_in_memory(test, recipe.preprocessing_name, recipe.train_image_size)
    with swapped_to_averages(model):
        result = evaluate(model, batches, console=console)
    result.write(directory)
    console.print(
        f"test accuracy {result.accuracy:.2%} of {result.images} images; {directory} has the "
        "network (model.keras) and the confusion matrix (confusion.png)",
        highlight=False,
        soft_wrap=True,
    )
    return result


def build_training_network(recipe: Recipe, classes: int, total_steps: int) -> keras.Model:
    """Builds the network of a recipe with augmentation, auxiliary head and drop path.

    Args:
        recipe: The recipe.
        classes: Number of classes.
        total_steps: Length of the run, which is drop path's schedule.

    Returns:
        A model with the outputs `"logits"` and, unless its weight is 0, `"auxiliary_logits"`.

    Raises:
        ValueError: The network and its settings do not fit together.
    """
    config = get_preset(recipe.model_name).config.replace(
        **recipe.network_overrides(), drop_path_total_steps=total_steps
    )
    size = recipe.train_image_size
    image = keras.Input((size, size, 3), name="image")
    augmented = Augmentation(recipe.augmentation, recipe.seed, name="augmentation")(image)
    model = build_network(
        config,
        classes=classes,
        input_tensor=augmented,
        auxiliary_head=recipe.auxiliary_weight > 0,
        name=recipe.model_name,
    )
    if recipe.auxiliary_weight > 0:
        return model
    return keras.Model(image, {LOGITS: endpoints(model)["Logits"]}, name=recipe.model_name)


def _check_same_run(recipe: Recipe, directory: Path) -> None:
    if not (directory / CHECKPOINT_NAME).exists():
        return
    config = read_config(directory)
    if not config:
        raise ValueError(f"{directory} has a {CHECKPOINT_NAME}, but is no run to continue")
    differences = recipe.differences(config["recipe"])
    if differences:
        raise ValueError(
            f"{directory} holds a run with other settings ({'; '.join(differences)}): give those, "
            "or another directory"
        )


def _write_samples(dataset: ImageDataset, directory: Path) -> None:
    """Writes the first image of each class as `<dataset>_<class>_<row>.png`."""
    make_directory(directory)
    for label, name in enumerate(dataset.class_names):
        rows = np.flatnonzero(dataset.labels == label)[:1]
        for row in rows:
            with written_whole(directory / f"{dataset.name}_{name}_{row}.png") as path:
                Image.fromarray(dataset.images[row]).save(path)
