"""The original detectors' weights: checkpoints and frozen graphs of the TF Object Detection API."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.weights.detector_names import (
    BOX_HEAD,
    CLASS_BIASES,
    check_detector_names,
    detector_variables,
)
from nasnet_keras.weights.assign import LoadReport, StoredArray, assign_strictly, check_scopes
from nasnet_keras.weights.slim_checkpoint import choose_arrays
from nasnet_keras.weights.slim_names import in_scopes
from nasnet_keras.weights.slim_writer import write_checkpoint
from nasnet_keras.weights.sources import open_source


def load_detector_checkpoint(
    detector: FasterRCNN,
    source: str | os.PathLike[str],
    exclude_scopes: Sequence[str] = (),
) -> LoadReport:
    """Sets a detector's variables from a Faster R-CNN of the TF Object Detection API.

    Strict in both directions: every variable of the detector must be in the source and every
    variable of the source in the detector, each with its shape; otherwise nothing in the detector
    changes. The global step, optimizer slots and moving averages are not read. TensorFlow is needed
    to read the file, whichever backend runs the detector.

    Args:
        detector: The detector, of the network and the number of classes that the source is of.
        source: A published archive (`.tar.gz`) or the directory that it unpacks to; a checkpoint's
            prefix (`model.ckpt`) or `.index` file; or a frozen graph
            (`frozen_inference_graph.pb`).
        exclude_scopes: Scopes that stay as they are in the detector, and are skipped in the source:
            `["box_head"]` for other classes. Whole segments of variables' paths are compared.

    Returns:
        What was set and what was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The source is damaged, holds a classifier or a detector of another kind, has
            another number of classes, or does not fit: one line.
        ImportError: TensorFlow is not installed.
    """
    if not isinstance(detector, FasterRCNN):
        raise ValueError(
            f"load_detector_checkpoint is for a FasterRCNN, got {detector!r}; a network's weights "
            "are read by nk.load_slim_checkpoint"
        )
    with open_detector(source) as (name, arrays, ignored):
        return assign_detector(detector, arrays, name, exclude_scopes, ignored)


@contextmanager
def open_detector(
    source: str | os.PathLike[str],
) -> Iterator[tuple[str, dict[str, StoredArray], list[str]]]:
    """Lists the arrays of an original detector; arguments and errors as above.

    Yields:
        What was found, its arrays by name, which are read only within the block, and the names of
        all else that it has.
    """
    with open_source(source) as (name, found):
        yield name, *detector_arrays(found, name)


def detector_arrays(
    found: Mapping[str, StoredArray], source: str
) -> tuple[dict[str, StoredArray], list[str]]:
    """Divides the arrays of an original detector into its variables and what is ignored.

    Args:
        found: Everything in the source, by name.
        source: How to call it in an error.

    Returns:
        The variables, and the names of all else.

    Raises:
        ValueError: They are a classifier's or another detector's.
    """
    arrays, ignored, _ = choose_arrays(found, use_moving_averages=False)
    check_detector_names(arrays, source)
    return arrays, ignored


def assign_detector(
    detector: FasterRCNN,
    arrays: Mapping[str, StoredArray],
    source: str,
    exclude_scopes: Sequence[str] = (),
    ignored: Sequence[str] = (),
) -> LoadReport:
    """Sets a detector's variables from arrays by the original's names.

    Args:
        detector: The detector.
        arrays: The arrays.
        source: How to call their source in an error.
        exclude_scopes: Scopes that stay as they are in the detector.
        ignored: What else the source has, for the report.

    Returns:
        What was set and what was left out.

    Raises:
        ValueError: They do not fit; nothing has changed.
    """
    variables = detector_variables(detector)
    paths = {name: variable.path for name, variable in variables.items()}
    check_scopes(exclude_scopes, list(paths.values()))
    kept = [name for name, path in paths.items() if in_scopes(path, exclude_scopes)]
    wanted: dict[str, Any] = {n: v for n, v in variables.items() if n not in kept}
    given = {name: array for name, array in arrays.items() if name not in kept}
    classes = arrays[CLASS_BIASES].shape[0] - 1
    if CLASS_BIASES in wanted and classes != detector.config.classes:
        raise ValueError(
            f"{source} has {classes} classes and the detector {detector.config.classes}: make it "
            f"with classes={classes}, or leave its own second stage's head as it is with "
            f"exclude_scopes=[{BOX_HEAD!r}]"
        )
    parameters = assign_strictly(
        wanted, given, source, detector.name, lambda name: paths.get(name, name).split("/", 1)[0]
    )
    return LoadReport(
        source=source,
        assigned=tuple(paths[name] for name in wanted),
        parameters=parameters,
        kept=tuple(paths[name] for name in kept),
        skipped=tuple(name for name in arrays if name in kept),
        ignored=tuple(ignored),
    )


def save_detector_checkpoint(
    detector: FasterRCNN, prefix: str | os.PathLike[str], global_step: int | None = None
) -> str:
    """Writes a detector as a checkpoint that the TF Object Detection API restores.

    Args:
        detector: The detector.
        prefix: Where to write: `<prefix>.index` and `<prefix>.data-00000-of-00001`.
        global_step: Written as `global_step` if given.

    Returns:
        The prefix.

    Raises:
        OSError: The files cannot be written.
        ImportError: TensorFlow is not installed.
    """
    values = {
        name: keras.ops.convert_to_numpy(variable)
        for name, variable in detector_variables(detector).items()
    }
    if global_step is not None:
        values["global_step"] = np.asarray(global_step, "int64")
    return write_checkpoint(values, prefix)
