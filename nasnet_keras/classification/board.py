"""A classifier's run, and its evaluations, as TensorBoard shows them."""

from __future__ import annotations

import os
from typing import Any

from nasnet_keras.classification.evaluation import Evaluation
from nasnet_keras.classification.evaluation_pictures import as_pixels, draw_mistakes
from nasnet_keras.classification.objective import AUXILIARY_LOGITS, LOGITS
from nasnet_keras.training.callbacks.tensorboard import TensorBoardScalars, open_writer

_LOSSES = {LOGITS: f"{LOGITS}_loss", AUXILIARY_LOGITS: f"{AUXILIARY_LOGITS}_loss"}
_ACCURACIES = (f"{LOGITS}_accuracy", "accuracy")


class ClassifierBoard(TensorBoardScalars):
    """`TensorBoardScalars` of a classifier: the parts of its loss, and its accuracy.

    The loss comes in cross-entropy of logits and of the auxiliary head, not weighted, and L2.
    """

    means = ("loss", *_LOSSES.values(), *_ACCURACIES)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self._loss_weights = self.model.get_compile_config().get("loss_weights") or {}

    def training_values(self, logs: dict[str, Any]) -> dict[str, float]:
        """Returns the parts of the loss and the accuracy out of Keras's logs."""
        values = {}
        parts = {output: logs.get(name) for output, name in _LOSSES.items()}
        if "loss" in logs:
            values["loss"] = logs["loss"]
            if parts[LOGITS] is None:
                # Keras does not tell the loss of a single output from the whole.
                values["l2"] = sum(float(loss) for loss in self.model.losses)
                values["cross_entropy"] = values["loss"] - values["l2"]
            else:
                values["cross_entropy"] = parts[LOGITS]
                weighted = [
                    self._loss_weights.get(output, 1.0) * part
                    for output, part in parts.items()
                    if part is not None
                ]
                values["l2"] = values["loss"] - sum(weighted)
        if parts[AUXILIARY_LOGITS] is not None:
            values["auxiliary_cross_entropy"] = parts[AUXILIARY_LOGITS]
        for name in _ACCURACIES:
            if name in logs:
                values["accuracy"] = logs[name]
        return values


def write_evaluation(directory: str | os.PathLike[str], evaluation: Evaluation, step: int) -> bool:
    """Writes an evaluation for TensorBoard: accuracy, loss, and the mistakes that it has.

    An earlier evaluation of the same or a later step in that directory gives way.

    Args:
        directory: Where to write; made if need be.
        evaluation: The evaluation.
        step: Training step of the network.

    Returns:
        Whether tensorboardX is installed; without it a warning says so and nothing is written.
    """
    writer = open_writer(directory, step - 1)
    if writer is None:
        return False
    writer.add_scalar("evaluation/accuracy", evaluation.accuracy, step)
    if evaluation.top_5_accuracy is not None:
        writer.add_scalar("evaluation/top_5_accuracy", evaluation.top_5_accuracy, step)
    writer.add_scalar("evaluation/loss", evaluation.loss, step)
    if evaluation.mistakes:
        pixels = as_pixels(draw_mistakes(evaluation.mistakes))
        writer.add_image("evaluation/mistakes", pixels, step, dataformats="HWC")
    writer.close()
    return True
