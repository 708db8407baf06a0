"""How good a network is on a labelled split."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from nasnet_keras.data import ImageDataset
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.models.inference import inference_model
from nasnet_keras.whole_files import written_whole


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
    """

    dataset: str
    split: str
    class_names: tuple[str, ...]
    confusion: np.ndarray
    loss: float

    @property
    def images(self) -> int:
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of the images whose class is the network's first choice."""
        return float(np.trace(self.confusion) / self.images)

    def per_class(self) -> list[dict[str, Any]]:
        """Returns for each class its name, images, how many were right, and their share."""
        rows = []
        for number, name in enumerate(self.class_names):
            total, correct = int(self.confusion[number].sum()), int(self.confusion[number, number])
            share = correct / total if total else None
            rows.append({"class": name, "images": total, "correct": correct, "accuracy": share})
        return rows

    def write(self, directory: str | os.PathLike[str]) -> None:
        """Writes `results.json` and `confusion.png`.

        Raises:
            OSError: The directory cannot be written to.
        """
        directory = Path(directory)
        results = {
            "dataset": self.dataset,
            "split": self.split,
            "images": self.images,
            "accuracy": self.accuracy,
            "loss": self.loss,
            "per_class": self.per_class(),
            "confusion": self.confusion.tolist(),
        }
        with written_whole(directory / "results.json") as path:
            path.write_text(json.dumps(results, indent=2) + "\n")
        with written_whole(directory / "confusion.png") as path:
            self._draw(path)

    def _draw(self, path: Path) -> None:
        from matplotlib.figure import Figure
        from sklearn.metrics import ConfusionMatrixDisplay

        side = max(5.0, 0.6 * len(self.class_names))
        # A Figure of its own, not pyplot's: no display is looked for and nothing stays open.
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.subplots()
        picture = ConfusionMatrixDisplay(self.confusion, display_labels=self.class_names)
        picture.plot(ax=axes, cmap="Blues", colorbar=False, xticks_rotation="vertical")
        axes.set_title(
            f"{self.dataset}, {self.split}: {self.accuracy:.2%} of {self.images} images right"
        )
        figure.savefig(path, dpi=120)


def offset_labels(dataset: ImageDataset, labels_offset: int) -> ImageDataset:
    """Leaves out the first classes: slim's `labels_offset`, for labels that count a background.

    Args:
        dataset: A split.
        labels_offset: Subtracted from every label.

    Raises:
        ValueError: An image is of a class left out, or none is left.
    """
    if not labels_offset:
        return dataset
    if labels_offset >= len(dataset.class_names):
        raise ValueError(
            f"labels_offset={labels_offset} leaves none of the {len(dataset.class_names)} classes "
            f"of dataset {dataset.name}"
        )
    return dataclasses.replace(
        dataset,
        labels=dataset.labels - labels_offset,
        class_names=dataset.class_names[labels_offset:],
    )


def evaluate(
    model: keras.Model,
    dataset: ImageDataset,
    preprocessing_name: str,
    image_size: int,
    batch_size: int = 100,
) -> Evaluation:
    """Evaluates a network by the path that predicts, without its auxiliary head.

    Args:
        model: A network.
        dataset: The images and their labels.
        preprocessing_name: How pixels are brought to the network's range.
        image_size: Side of the images the network takes, in pixels.
        batch_size: Images at a time.

    Returns:
        The counts.

    Raises:
        ValueError: The network's classes are not as many as the dataset's.
    """
    network = inference_model(model)
    classes = network.output["logits"].shape[1]
    if classes != len(dataset.class_names):
        raise ValueError(
            f"the network has {classes} classes, dataset {dataset.name} has "
            f"{len(dataset.class_names)}"
        )
    confusion = np.zeros((classes, classes), np.int64)
    loss = 0.0
    for start in range(0, len(dataset), batch_size):
        labels = dataset.labels[start : start + batch_size]
        images = preprocess(
            dataset.images[start : start + batch_size], preprocessing_name, image_size
        )
        logits = network.predict_on_batch(images)["logits"].astype(np.float64)
        np.add.at(confusion, (labels, logits.argmax(axis=1)), 1)
        largest = logits.max(axis=1)
        total = largest + np.log(np.exp(logits - largest[:, np.newaxis]).sum(axis=1))
        loss += float((total - logits[np.arange(len(labels)), labels]).sum())
    return Evaluation(
        dataset.name, dataset.split, dataset.class_names, confusion, loss / len(dataset)
    )
