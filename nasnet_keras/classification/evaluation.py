"""How good a network is on a labelled split."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich import progress
from rich.console import Console

from nasnet_keras.classification.evaluation_pictures import Mistake, draw_confusion, draw_mistakes
from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches
from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.models.inference import inference_model
from nasnet_keras.out_of_memory import memory_for
from nasnet_keras.text.progress_bar import progress_bar
from nasnet_keras.training.step.extra_metrics import ExtraMetrics

TOP = 5
# A matrix of more classes is neither printed in full nor drawn with names and counts.
CLASSES_IN_FULL = 50
_MOST_CONFUSED = 20


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Predictions of a network on a split.

    Attributes:
        dataset: Name of the dataset.
        split: Name of the split.
        class_names: Names of the classes.
        confusion: `(classes, classes)`: images of the class of the row taken for the class of the
            column.
        loss: Mean cross-entropy.
        top_5_accuracy: Fraction of the images whose class is among the network's first five
            choices; `None` where there are no more than five classes.
        mistakes: Misclassified images, those that the network was surest of first; as many as were
            asked for.
        metrics: Values of the user's own metrics, by name.
    """

    dataset: str
    split: str
    class_names: tuple[str, ...]
    confusion: np.ndarray
    loss: float
    top_5_accuracy: float | None = None
    mistakes: tuple[Mistake, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def images(self) -> int:
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Fraction of the images whose class is the network's first choice."""
        return float(np.trace(self.confusion) / self.images)

    def per_class(self) -> list[dict[str, Any]]:
        """Returns for each class its name, images, how many were right, and their fraction.

        With `precision` (of the images taken for the class, the fraction that is of it), `recall`
        (the fraction that was right, again) and `f1` (their harmonic mean). `None` where there is
        nothing to divide by.
        """
        return [
            {
                "class": name,
                "images": int(self.confusion[number].sum()),
                "correct": int(self.confusion[number, number]),
                "accuracy": _or_none(self._scores["recall"][number]),
                **{score: _or_none(values[number]) for score, values in self._scores.items()},
            }
            for number, name in enumerate(self.class_names)
        ]

    def class_means(self) -> dict[str, float]:
        """Returns the means of `precision`, `recall` and `f1` over the classes that have them."""
        return {name: float(np.nanmean(values)) for name, values in self._scores.items()}

    # Once: of a thousand classes there are a million pairs to go through.
    @functools.cached_property
    def _scores(self) -> dict[str, np.ndarray]:
        from sklearn.metrics import precision_recall_fscore_support

        truth, predicted = np.indices(self.confusion.shape).reshape(2, -1)
        *scores, _ = precision_recall_fscore_support(
            truth, predicted, sample_weight=self.confusion.ravel(), zero_division=np.nan
        )
        return dict(zip(("precision", "recall", "f1"), scores, strict=True))

    def most_confused(self, most: int = _MOST_CONFUSED) -> list[dict[str, Any]]:
        """Returns the pairs of a class and what it was taken for, the most frequent first."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        pairs = np.argwhere(wrong)
        order = np.argsort(-wrong[tuple(pairs.T)], kind="stable")[:most]
        return [
            {
                "class": self.class_names[truth],
                "taken_for": self.class_names[predicted],
                "images": int(wrong[truth, predicted]),
            }
            for truth, predicted in pairs[order]
        ]

    def write(self, directory: str | os.PathLike[str]) -> list[str]:
        """Writes `results.json`, `confusion.png` and, with mistakes, `mistakes.png`.

        Of more than 50 classes, `results.json` has the most confused pairs in place of the matrix.

        Args:
            directory: Where to; it exists.

        Returns:
            The names of the files.

        Raises:
            OSError: The directory cannot be written to.
        """
        directory = Path(directory)
        results: dict[str, Any] = {
            "dataset": self.dataset,
            "split": self.split,
            "images": self.images,
            "accuracy": self.accuracy,
            "top_5_accuracy": self.top_5_accuracy,
            "loss": self.loss,
            "class_means": self.class_means(),
            "per_class": self.per_class(),
            "most_confused": self.most_confused(),
        }
        if self.metrics:
            results["metrics"] = dict(self.metrics)
        if len(self.class_names) <= CLASSES_IN_FULL:
            results["confusion"] = self.confusion.tolist()
        with atomic_write(directory / "results.json") as path:
            path.write_text(json.dumps(results, indent=2) + "\n")
        pictures = {"confusion.png": self._draw_confusion()}
        if self.mistakes:
            pictures["mistakes.png"] = draw_mistakes(self.mistakes)
        for name, figure in pictures.items():
            with atomic_write(directory / name) as path:
                figure.savefig(path)
        return ["results.json", *pictures]

    def _draw_confusion(self) -> Any:
        title = f"{self.dataset}, {self.split}: {self.accuracy:.2%} of {self.images} images right"
        pairs = None
        if len(self.class_names) > CLASSES_IN_FULL:
            pairs = [
                (row["class"], row["taken_for"], row["images"]) for row in self.most_confused()
            ]
        return draw_confusion(self.confusion, self.class_names, title, pairs)


def evaluate(
    model: keras.Model,
    batches: EvaluationBatches,
    max_num_batches: int | None = None,
    keep_mistakes: int = 0,
    console: Console | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    metrics: Sequence[keras.metrics.Metric] = (),
) -> Evaluation:
    """Evaluates a network by the path that predicts, without its auxiliary head.

    Args:
        model: A network, or its `inference_model`, which is compiled once however often it is
            evaluated.
        batches: The images and their labels.
        max_num_batches: Stop after so many batches; `None` for all.
        keep_mistakes: How many misclassified images to keep.
        console: Where to show how far it is, if that is a terminal; `None` for nowhere. Only one
            bar can move at a time.
        on_progress: Called after each batch with the batches so far and in all.
        metrics: Metrics of one-hot labels and probabilities to compute too; new ones are made.

    Returns:
        The counts.

    Raises:
        ValueError: The network's classes are not as many as the dataset's, its answers are no
            numbers, or an example cannot be read.
    """
    outputs = model.output
    whole = isinstance(outputs, dict) and {"logits", "probabilities"} <= outputs.keys()
    network = model if whole else inference_model(model)
    classes = network.output["logits"].shape[1]
    check_classes(classes, batches)
    extra = ExtraMetrics("logits", metrics)
    count = len(batches) if max_num_batches is None else min(max_num_batches, len(batches))
    if count < 1:
        raise ValueError(f"max_num_batches is at least 1, got {max_num_batches}")
    confusion = np.zeros((classes, classes), np.int64)
    loss, near = 0.0, 0
    mistakes: list[tuple[float, int, int, np.ndarray]] = []
    size = 0
    with _bar(console) as bar:
        for number, (images, labels) in zip(bar.track(range(count)), batches, strict=False):
            # A smaller last batch would be compiled for: it is filled up, and the rest thrown away.
            size = max(size, len(images))
            filled = images
            if len(images) < size:
                filled = np.resize(images, (size, *images.shape[1:]))
            with memory_for(batch_size=size, image_size=filled.shape[1:3]):
                answer = network.predict_on_batch(filled)
            logits = np.asarray(answer["logits"], np.float64)[: len(labels)]
            if not np.isfinite(logits).all():
                raise ValueError(
                    f"network {model.name!r} answers with numbers that are not finite: it has "
                    "not been trained, or its training has diverged"
                )
            if metrics:
                extra.update(np.eye(classes, dtype="float32")[labels], logits)
            rows, predicted = np.arange(len(labels)), logits.argmax(axis=1)
            np.add.at(confusion, (labels, predicted), 1)
            near += int(np.count_nonzero(_ranks(logits, labels) < TOP))
            largest = logits.max(axis=1)
            total = largest + np.log(np.exp(logits - largest[:, np.newaxis]).sum(axis=1))
            loss += float((total - logits[rows, labels]).sum())
            if keep_mistakes:
                sure = np.exp(largest - total)
                mistakes += [
                    (float(sure[row]), int(labels[row]), int(predicted[row]), images[row].copy())
                    for row in np.flatnonzero(predicted != labels)
                ]
                mistakes = sorted(mistakes, key=lambda found: -found[0])[:keep_mistakes]
            if on_progress:
                on_progress(number + 1, count)
    done = int(confusion.sum())
    names = batches.class_names
    return Evaluation(
        batches.dataset,
        batches.split,
        names,
        confusion,
        loss / done,
        near / done if classes > TOP else None,
        tuple(
            Mistake(_pixels(image), names[truth], names[predicted], probability)
            for probability, truth, predicted, image in mistakes
        ),
        extra.results(),
    )


def check_classes(classes: int, batches: EvaluationBatches) -> None:
    """Raises a `ValueError` where a network has not as many classes as a dataset."""
    if classes != len(batches.class_names):
        raise ValueError(
            f"the network has {classes} classes, dataset {batches.dataset} has "
            f"{len(batches.class_names)}"
        )


def _bar(console: Console | None) -> progress.Progress:
    return progress_bar(
        console,
        progress.TextColumn("evaluating"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("batches, left"),
        progress.TimeRemainingColumn(),
    )


def _ranks(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns how many classes come before each label's; of equal ones, the first comes first."""
    rows = np.arange(len(labels))
    own = logits[rows, labels][:, np.newaxis]
    before = np.arange(logits.shape[1]) < labels[:, np.newaxis]
    return ((logits > own) | ((logits == own) & before)).sum(axis=1)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _pixels(image: np.ndarray) -> np.ndarray:
    """Returns the uint8 pixels of a preprocessed image, as near as they can be told."""
    low, high = float(image.min()), float(image.max())
    # An image of deviation 1 goes beyond 1; one that does not was scaled to [-1, 1].
    if low >= -1 and high <= 1:
        low, high = -1.0, 1.0
    return np.round((image - low) * (255 / (high - low))).astype(np.uint8)
