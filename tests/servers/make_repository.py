"""Writes the model repository that the servers' tests serve, with the project's own environment.

  python -m tests.servers.make_repository DIR

`colours` is a classifier that names a picture's colour, `boxes` a small detector.
"""

import shutil
import sys
from pathlib import Path

import keras

from nasnet_keras.detection import FasterRCNN
from nasnet_keras.detection.inference.trained_detector import TrainedDetector
from nasnet_keras.export.detector_formats import export_detector
from nasnet_keras.export.repository import add_to_repository
from tests.detection_network import tiny_batch, tiny_config
from tests.serving.colour_network import NAMES, write_colour_network


def main(repository: Path) -> None:
    shutil.rmtree(repository, ignore_errors=True)
    repository.mkdir(parents=True)
    colours = write_colour_network(repository / "colours.onnx")
    add_to_repository(colours, repository, "colours")
    colours.unlink()
    keras.utils.set_random_seed(4)
    model = FasterRCNN(tiny_config())
    # Sure of something, without the minutes of training it.
    model.box_head.logits_dense.kernel.assign(model.box_head.logits_dense.kernel * 20.0)
    served = TrainedDetector(model, NAMES, (7, 8, 11))
    exported = repository / "exported"
    export_detector(served, exported, ("onnx",), [tiny_batch()["images"][0]])
    add_to_repository(exported / "detector.onnx", repository, "boxes")
    shutil.rmtree(exported)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
