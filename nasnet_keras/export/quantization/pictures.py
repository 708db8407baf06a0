"""The pictures that 8 bits need: some to calibrate on, labelled others to score on."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from absl import logging

from nasnet_keras.classification.trained_model import TrainedModel
from nasnet_keras.data.image_reader import SUFFIXES, decode_image
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.data.sources.image_folder import EVERYTHING
from nasnet_keras.data.sources.image_listing import list_images, summary
from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches, evaluation_batches
from nasnet_keras.files.input_files import read_file
from nasnet_keras.text.plain_text import shown

Directory = str | os.PathLike[str]

FEWEST_CALIBRATION_PICTURES = 32
"""Of fewer, the ranges of activations depend on which they are."""
MOST_CALIBRATION_PICTURES = 300
"""More take their time and change the ranges little."""

_SHOWN = 5
_FOLDER = "image_folder"


@dataclass(frozen=True, eq=False)
class QuantizationPictures:
    """Pictures for a quantization.

    Attributes:
        calibration: `(pictures, size, size, 3)`, float32, as the network takes them.
        held_out: Labelled pictures, other ones.
    """

    calibration: np.ndarray
    held_out: EvaluationBatches


def quantization_pictures(
    trained: TrainedModel,
    calibration_dir: Directory | None = None,
    evaluation_dir: Directory | None = None,
    dataset_dir: Directory | None = None,
    max_accuracy_loss: float = 1.0,
) -> QuantizationPictures:
    """Reads the pictures for a quantization.

    Args:
        trained: The network.
        calibration_dir: A folder of pictures, which may be in folders named by class; `None`: the
            split that the network was trained on.
        evaluation_dir: A folder of folders named by class; `None`: the split that the network is
            evaluated on.
        dataset_dir: Where the dataset of these splits is; the digits need none.
        max_accuracy_loss: How many points may be lost, see `quantize`; there must be pictures
            enough to measure it.

    Raises:
        OSError: A folder or the dataset is missing.
        ValueError: There are too few pictures, or some are of other classes than the network's; the
            two folders share pictures, or none was given and the network's dataset is not known.
    """
    if calibration_dir is not None and evaluation_dir is not None:
        _check_disjoint(calibration_dir, evaluation_dir)
    held_out = _held_out(trained, evaluation_dir, dataset_dir)
    _check_enough(held_out, max_accuracy_loss)
    if calibration_dir is not None:
        calibration = _of_folder(trained, calibration_dir)
    else:
        calibration = _of_training(trained, dataset_dir)
    return QuantizationPictures(calibration, held_out)


def _held_out(
    trained: TrainedModel, folder: Directory | None, dataset_dir: Directory | None
) -> EvaluationBatches:
    if folder is None:
        return _split(trained, trained.evaluation_split_name, dataset_dir, "evaluation_dir")
    batches = evaluation_batches(
        *(_FOLDER, EVERYTHING, folder, trained.preprocessing_name, trained.image_size),
        exif_orientation=trained.exif_orientation,
        allow_empty_classes=True,
    )
    _check_known(batches.class_names, trained, folder)
    places = np.asarray([trained.class_names.index(name) for name in batches.class_names])

    def begin() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for images, labels in batches:
            yield images, places[labels]

    return replace(batches, class_names=trained.class_names, _begin=begin)


def _split(
    trained: TrainedModel, split: str, dataset_dir: Directory | None, flag: str
) -> EvaluationBatches:
    if not trained.dataset_name:
        raise ValueError(f"the network does not name its dataset: give {flag}")
    batches = evaluation_batches(
        *(trained.dataset_name, split, dataset_dir),
        *(trained.preprocessing_name, trained.image_size),
        labels_offset=trained.labels_offset,
        exif_orientation=trained.exif_orientation,
    )
    if batches.class_names != trained.class_names:
        raise ValueError(f"{split} of dataset {batches.dataset} has other classes than the network")
    return batches


def _check_enough(held_out: EvaluationBatches, max_accuracy_loss: float) -> None:
    """Refuses a split of which one picture more or less decides."""
    point = 100 / held_out.num_examples
    allowed = max(max_accuracy_loss, 1.0)
    if point > allowed:
        raise ValueError(
            f"{held_out.num_examples} held-out pictures are too few to say whether {allowed:g} "
            f"points of accuracy are lost: expected at least {int(np.ceil(100 / allowed))}"
        )


def _of_training(trained: TrainedModel, dataset_dir: Directory | None) -> np.ndarray:
    split = trained.training_split_name
    found, count = [], 0
    for images, _ in _split(trained, split, dataset_dir, "calibration_dir"):
        found.append(images[: MOST_CALIBRATION_PICTURES - count])
        count += len(found[-1])
        if count == MOST_CALIBRATION_PICTURES:
            break
    _check_count(count, f"{split} of dataset {trained.dataset_name}")
    return np.concatenate(found).astype(np.float32, copy=False)


def _of_folder(trained: TrainedModel, folder: Directory) -> np.ndarray:
    listing = list_images(folder)
    classes = {path.relative_to(folder).parts[0] for path in listing.paths}
    classes -= {path.name for path in listing.paths if path.parent == Path(folder)}
    _check_known(sorted(classes), trained, folder)
    if not listing.paths:
        told = summary(listing.left_out)
        raise ValueError(
            f"{folder} holds no picture ({', '.join(SUFFIXES)}){f', but {told}' if told else ''}"
        )
    # A folder's order is that of the classes.
    order = np.random.default_rng(0).permutation(len(listing.paths))
    images: list[np.ndarray] = []
    unreadable: list[str] = []
    for path in (listing.paths[place] for place in order):
        if len(images) == MOST_CALIBRATION_PICTURES:
            break
        try:
            pixels = decode_image(read_file(path), trained.exif_orientation)
        except (OSError, ValueError) as error:
            unreadable.append(f"{path} ({error})")
            continue
        prepared = preprocess(pixels[np.newaxis], trained.preprocessing_name, trained.image_size)
        images.append(np.asarray(prepared, np.float32)[0])
    told = _told(unreadable)
    _check_count(len(images), str(folder), told)
    if told:
        logging.warning("calibration without %s", told)
    return np.stack(images)


def _told(unreadable: Sequence[str]) -> str:
    if not unreadable:
        return ""
    more = f" and {len(unreadable) - _SHOWN} more" if len(unreadable) > _SHOWN else ""
    return f"{len(unreadable)} files that cannot be read: {', '.join(unreadable[:_SHOWN])}{more}"


def _check_count(count: int, where: str, unreadable: str = "") -> None:
    if count < FEWEST_CALIBRATION_PICTURES:
        raise ValueError(
            f"{where} has {count} pictures to calibrate on, expected at least "
            f"{FEWEST_CALIBRATION_PICTURES}{f'; without {unreadable}' if unreadable else ''}"
        )


def _check_known(names: Collection[str], trained: TrainedModel, folder: Directory) -> None:
    others = sorted(set(names) - set(trained.class_names))
    if others:
        listed = ", ".join(map(shown, others[:_SHOWN]))
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        classes = ", ".join(map(shown, trained.class_names[:_SHOWN]))
        dots = ", ..." if len(trained.class_names) > _SHOWN else ""
        raise ValueError(
            f"{folder} has folders that are no classes of the network: {listed}{more}; its classes "
            f"are {classes}{dots}"
        )


def _check_disjoint(calibration_dir: Directory, evaluation_dir: Directory) -> None:
    ours, theirs = Path(calibration_dir).resolve(), Path(evaluation_dir).resolve()
    if ours == theirs or ours in theirs.parents or theirs in ours.parents:
        raise ValueError(
            f"{calibration_dir} and {evaluation_dir} share pictures: what calibrates must not score"
        )
