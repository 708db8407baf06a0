"""What the files of a classifier say of it."""

from __future__ import annotations

import os
from typing import Any

from nasnet_keras.classification.trained_model import TrainedModel
from nasnet_keras.export.classifier_check import OUTPUTS
from nasnet_keras.export.description import FileDescription
from nasnet_keras.files.input_files import read_text
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.training.run_directory import find_checkpoint
from nasnet_keras.weights.catalogue import named_weights

INPUT = "images"
_RESULTS = "results.json"


def describe_classifier(trained: TrainedModel, **more: Any) -> FileDescription:
    """Returns what a file with a classifier says of it.

    Args:
        trained: The classifier.
        **more: Other fields of `FileDescription`, e.g. `precision`.
    """
    return FileDescription(
        kind="classifier",
        network=trained.model.name,
        class_names=trained.class_names,
        image_size=(trained.image_size, trained.image_size),
        preprocessing=trained.preprocessing_name,
        exif_orientation=trained.exif_orientation,
        inputs=(INPUT,),
        outputs=OUTPUTS,
        **more,
    )


def known_accuracy(checkpoint: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns what a run knows of its network's accuracy, as fields of `FileDescription`.

    Args:
        checkpoint: A run directory, a `.keras` file or the name of a published network.

    Returns:
        `accuracy` and `scored_on`; nothing where the run has no result, or an older network's.
    """
    if named_weights(checkpoint):
        return {}
    file = find_checkpoint(checkpoint, prefer_best=False)
    results = file.parent / _RESULTS
    if not results.exists() or os.stat(results).st_mtime < os.stat(file).st_mtime:
        return {}
    try:
        found = parse_json(read_text(results))
        scored_on = f"{found['dataset']}, {found['split']}, {found['images']} images"
        return {"accuracy": float(found["accuracy"]), "scored_on": scored_on}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
