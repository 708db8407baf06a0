"""A detector's run as TensorBoard shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from nasnet_keras.detection.modeling.faster_rcnn import LOSSES
from nasnet_keras.training.callbacks.tensorboard import TensorBoardScalars
from nasnet_keras.training.run import Run


class DetectorBoard(TensorBoardScalars):
    """`TensorBoardScalars` of a detector: its four losses, COCO's numbers, and pictures.

    Args:
        run: The run.
        truth: Makes a picture of what is trained on, shown once.
        detections: Returns the picture of the last evaluation, `None` before the first.
    """

    means = ("loss", *LOSSES)

    def __init__(
        self,
        run: Run,
        truth: Callable[[], Image.Image],
        detections: Callable[[], Image.Image | None],
    ) -> None:
        super().__init__(run)
        self._truth = truth
        self._detections = detections
        self._shown: Image.Image | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if self.step == 0:
            self._write_picture("training/ground_truth", self._truth)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        picture = self._detections()
        if picture is not None and picture is not self._shown:
            self._write_picture("evaluation/detections", lambda: picture)
            self._shown = picture
        super().on_epoch_end(epoch, logs)

    def _write_picture(self, name: str, make: Callable[[], Image.Image]) -> None:
        if self._writer is not None:
            self._writer.add_image(name, np.asarray(make()), self.step, dataformats="HWC")
