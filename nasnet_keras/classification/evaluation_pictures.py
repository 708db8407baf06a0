"""Pictures of an evaluation: what was taken for what, and the mistakes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nasnet_keras.text.plain_text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELLS = 200  # A side of the matrix of many classes: a cell is then some pixels wide.
_COLUMNS = 6
_NAME_WIDTH = 20


@dataclass(frozen=True, eq=False)
class Mistake:
    """A misclassified image.

    Attributes:
        image: `(height, width, 3)`, uint8, as the network saw it.
        truth: Name of its class.
        predicted: Name of the class that the network chose.
        probability: What the network gave that class.
    """

    image: np.ndarray
    truth: str
    predicted: str
    probability: float


# A Figure of its own, not pyplot's: no display is looked for and nothing stays open.


def draw_confusion(
    confusion: np.ndarray,
    class_names: Sequence[str],
    title: str,
    pairs: Sequence[tuple[str, str, int]] | None = None,
) -> Figure:
    """Draws a confusion matrix: with every name and count, or as a map with its worst pairs listed.

    Args:
        confusion: `(classes, classes)`, counts; a row is a true class.
        class_names: Names of the classes.
        title: Heading.
        pairs: For many classes: a class, what it was taken for and how often, the most frequent
            first. `None` draws names and counts.
    """
    if pairs is None:
        return _draw_counts(confusion, class_names, title)
    return _draw_map(confusion, title, pairs)


def draw_mistakes(mistakes: Sequence[Mistake]) -> Figure:
    """Draws misclassified images with their true and predicted classes and the probability."""
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(mistakes))
    rows = -(-len(mistakes) // columns)
    figure = Figure(figsize=(2.4 * columns, 3.0 * rows), dpi=100, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.08)  # type: ignore[union-attr]
    for axes in np.ravel(figure.subplots(rows, columns, squeeze=False)):
        axes.set_axis_off()
    for axes, mistake in zip(figure.axes, mistakes, strict=False):
        axes.imshow(mistake.image, interpolation="nearest")
        axes.set_title(
            f"{_short(mistake.truth)}\ntaken for {_short(mistake.predicted)}\n"
            f"{mistake.probability:.0%} sure",
            fontsize=9,
        )
    return figure


def as_pixels(figure: Figure) -> np.ndarray:
    """Returns a figure as `(height, width, 3)`, uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_counts(confusion: np.ndarray, class_names: Sequence[str], title: str) -> Figure:
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    many = len(class_names) > 20
    side = max(5.0, (0.36 if many else 0.6) * len(class_names))
    figure = Figure(figsize=(side, side), dpi=120, layout="constrained")
    axes = figure.subplots()
    labels = [_short(name, 2 * _NAME_WIDTH) for name in class_names]
    picture = ConfusionMatrixDisplay(confusion, display_labels=labels)
    picture.plot(
        ax=axes,
        cmap="Blues",
        colorbar=False,
        xticks_rotation="vertical",
        values_format="d",
        text_kw={"fontsize": 7 if many else 10},
    )
    if many:
        for text in np.ravel(picture.text_):
            text.set_visible(text.get_text() != "0")
    axes.set_title(_plain(title))
    return figure


def _draw_map(confusion: np.ndarray, title: str, pairs: Sequence[tuple[str, str, int]]) -> Figure:
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 7.5), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    figure.suptitle(_plain(title))
    classes = len(confusion)
    fractions = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    block = -(-classes // _CELLS)
    cells = -(-classes // block)
    padded = np.pad(fractions, (0, cells * block - classes))
    # The largest of a block, so that a single pair does not drown among a thousand classes.
    largest = padded.reshape(cells, block, cells, block).max(axis=(1, 3))
    image: Any = left.imshow(
        largest,
        cmap="Blues",
        # A few percent must be seen beside the diagonal.
        norm=PowerNorm(0.5, vmin=0, vmax=1),
        extent=(0, classes, classes, 0),
        interpolation="none",
    )
    left.set(xlabel="predicted class, by number", ylabel="true class, by number")
    figure.colorbar(image, ax=left, shrink=0.8, label="fraction of the images of the true class")

    right.set_title("taken for another most often", fontsize=11)
    places = np.arange(len(pairs))
    right.barh(places, [count for *_, count in pairs], color="tab:blue", alpha=0.35, height=0.85)
    for place, (truth, predicted, count) in zip(places, pairs, strict=True):
        right.text(
            0.01,
            place,
            f"{count} × {_short(truth)} taken for {_short(predicted)}",
            transform=right.get_yaxis_transform(),
            va="center",
            fontsize=9,
        )
    right.set_ylim(max(len(pairs), 20) - 0.5, -0.5)
    right.set_yticks([])
    right.set_xticks([])
    for side in right.spines.values():
        side.set(visible=False)
    return figure


def _short(name: str, width: int = _NAME_WIDTH) -> str:
    """Cuts out the middle of a long name: often only the end tells two names apart."""
    if len(name) <= width:
        return _plain(name)
    end = width // 3
    return _plain(f"{name[: width - end - 1]}…{name[-end:]}")


def _plain(text: str) -> str:
    """Returns text that Matplotlib draws as it is; between dollars it would read formulas."""
    return printable(text).replace("$", r"\$")
