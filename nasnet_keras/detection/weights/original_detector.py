"""An original detector as a run: which detector a file is of, its classes and their ids."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from nasnet_keras.detection.configuration.configs import get_config
from nasnet_keras.detection.configuration.run_config import RunConfig
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.detection.weights.coco import COCO_IDS, COCO_NAMES
from nasnet_keras.detection.weights.creation import PUBLISHED, create_and_load, is_published
from nasnet_keras.detection.weights.detector_checkpoint import open_detector
from nasnet_keras.weights.assign import LoadReport
from nasnet_keras.weights.catalogue import COCO, list_weights


def load_original(
    path: str | os.PathLike[str],
    config: str | None = None,
    class_names: Sequence[str] | None = None,
) -> tuple[FasterRCNN, RunConfig, LoadReport]:
    """Builds the detector that a file of the TF Object Detection API is of, with its weights.

    Args:
        path: As in `load_detector_checkpoint`; or a published one, e.g. `"coco:nasnet_large_1200"`.
        config: Name of its configuration, or a JSON file with one. Default: that of the published
            archive or directory by whose name the file or its directory is called.
        class_names: Names of its classes. Default: COCO's for its 90 ids, otherwise numbers from 1.

    Returns:
        The detector, what its `config.json` would be, and what was set.

    Raises:
        OSError: There is no such file, or it cannot be downloaded.
        ValueError: It is damaged, holds something else or is another detector's; nothing says whose
            it is; the number of names is not that of its classes.
    """
    name = config or _published_name(path)
    if name is None:
        # A file that is no detector's needs no name.
        with open_detector(path) as (source, _, _):
            raise ValueError(
                f"{source} does not say which detector it is: give its configuration as config, "
                "e.g. nasnet_large_1200"
            )
    training = get_config(name)
    # Ninety classes are COCO's ids, of which some stand for nothing, unless they have other names.
    others = class_names is not None and not is_published(path)
    detector, report = create_and_load(name, path, {"unused_classes": ()} if others else {})
    classes = detector.config.classes
    numbers = tuple(range(1, classes + 1))
    names = COCO_NAMES if numbers == COCO_IDS else tuple(map(str, numbers))
    names = tuple(class_names or names)
    if len(names) != classes:
        raise ValueError(f"{report.source} has {classes} classes, got {len(names)} names")
    training = dataclasses.replace(training, detector=detector.config)
    return detector, RunConfig(training, names, numbers), report


def _published_name(path: str | os.PathLike[str]) -> str | None:
    if is_published(path):
        return os.fspath(path).removeprefix(PUBLISHED)
    published = {_stem(each.file): each.model for each in list_weights() if each.name == COCO}
    place = Path(os.path.abspath(path))
    stems = map(_stem, (place.name, place.parent.name))
    return next((published[stem] for stem in stems if stem in published), None)


def _stem(name: str) -> str:
    """Returns the name of an archive, of its directory or of what it was converted into."""
    return name.partition(".")[0]
