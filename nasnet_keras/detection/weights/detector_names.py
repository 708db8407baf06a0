"""The naming rule between a detector's variables and the original's checkpoint.

The network lies there in two scopes, one a stage; below them the names are slim's. The heads have
names of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.weights.slim_names import in_scopes, network_variables, slim_name

FIRST_STAGE = "FirstStageFeatureExtractor"
SECOND_STAGE = "SecondStageFeatureExtractor"
_HEADS = {
    "region_head/conv": "Conv",
    "region_head/boxes": "FirstStageBoxPredictor/BoxEncodingPredictor",
    "region_head/logits": "FirstStageBoxPredictor/ClassPredictor",
    "box_head/boxes": "SecondStageBoxPredictor/BoxEncodingPredictor",
    "box_head/logits": "SecondStageBoxPredictor/ClassPredictor",
}
BOX_HEAD = "box_head"
CLASS_BIASES = f"{_HEADS['box_head/logits']}/biases"
"""The one of the original's names whose length is the classes and the background."""


def checkpoint_name(path: str, second_stage: Iterable[str]) -> str:
    """Returns the name in the original's checkpoint of a detector's variable.

    Args:
        path: The variable's path, e.g. `"cell_12/1x1/kernel"`.
        second_stage: Names of the second stage's cells.

    Returns:
        E.g. `"SecondStageFeatureExtractor/cell_12/1x1/weights"`.
    """
    scope, _, word = path.rpartition("/")
    if scope in _HEADS:
        return slim_name(f"{_HEADS[scope]}/{word}")
    stage = SECOND_STAGE if in_scopes(path, second_stage) else FIRST_STAGE
    return f"{stage}/{slim_name(path)}"


def detector_variables(detector: FasterRCNN) -> dict[str, Any]:
    """Returns the variables that the original has too, by its names.

    Args:
        detector: The detector.

    Returns:
        `{"FirstStageFeatureExtractor/conv0/weights": variable, ...}` in the order of the detector.
    """
    cells = [cell.name for cell in detector.backbone.second_stage.cells]
    return {
        checkpoint_name(path, cells): variable
        for path, variable in network_variables(detector).items()
    }


def check_detector_names(names: Mapping[str, Any], source: str) -> None:
    """Refuses arrays that are not of a Faster R-CNN as the original's.

    Args:
        names: The arrays by name.
        source: How to call the source in an error.

    Raises:
        ValueError: They are a classifier's or another detector's.
    """
    if CLASS_BIASES in names:
        return
    scopes = sorted({name.split("/", 1)[0] for name in names})
    if "final_layer" in scopes:
        raise ValueError(
            f"{source} holds a classifier, not a detector: "
            "nk.load_slim_checkpoint(detector.network, ..., exclude_scopes=['final_layer']) gives "
            "both stages its weights"
        )
    shown = ", ".join(scopes[:5]) + (", ..." if len(scopes) > 5 else "")
    raise ValueError(
        f"{source} holds no Faster R-CNN of the TF Object Detection API: it has no {CLASS_BIASES} "
        f"(its scopes: {shown})"
    )
