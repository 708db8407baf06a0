"""What the files of a detector say of it."""

from __future__ import annotations

from typing import Any

from nasnet_keras.detection.inference.trained_detector import TrainedDetector
from nasnet_keras.export.description import FileDescription

INPUTS = ("images", "image_sizes")
OUTPUTS = ("boxes", "scores", "labels", "count")


def describe_detector(served: TrainedDetector, **more: Any) -> FileDescription:
    """Returns what a file with a detector says of it.

    Args:
        served: The detector.
        **more: Other fields of `FileDescription`, e.g. `batch`.
    """
    return FileDescription(
        kind="detector",
        network=served.model.name,
        class_names=served.class_names,
        image_size=served.image_size,
        preprocessing="pad" if served.keep_aspect else "stretch",
        exif_orientation=served.exif_orientation,
        inputs=INPUTS,
        outputs=OUTPUTS,
        category_ids=served.category_ids,
        **more,
    )
