"""People's own Keras metrics, beside those that a network is compiled with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import keras
import numpy as np

from nasnet_keras.text.plain_text import line, shown


class ExtraMetrics:
    """Metrics of one-hot labels and probabilities, `(batch, classes)`, of one output.

    They are no part of what is compiled, and so not of the file: a network is read without the
    classes of its metrics.

    Args:
        output: Name of the output that has the logits.
        metrics: The metrics; new ones of the same settings are made.

    Raises:
        ValueError: One cannot be made from its `get_config()`.
    """

    def __init__(self, output: str, metrics: Sequence[keras.metrics.Metric]) -> None:
        self.output = output
        self.metrics = [_made_anew(metric) for metric in metrics]

    def build(self, classes: int) -> None:
        """Makes variables that a metric makes at its first batch only, and tries it on two images.

        Not within a `tf.distribute` strategy, which counts in its replicas only.

        Args:
            classes: Number of classes.

        Raises:
            ValueError: A metric does not take labels and probabilities, or is not one number.
        """
        labels = np.eye(classes, dtype="float32")[[0, classes - 1]]
        probabilities = np.full(labels.shape, 1 / classes, "float32")
        shape = f"labels and probabilities of shape {labels.shape}"
        for metric in self.metrics:
            name = shown(metric.name)
            try:
                metric.update_state(labels, probabilities)
                got = getattr(metric.result(), "shape", ())
                metric.reset_state()
            except Exception as error:
                said = line(str(error))
                raise ValueError(f"metric {name} does not take {shape}: {said}") from error
            if tuple(got):
                raise ValueError(f"metric {name} is one number, got shape {tuple(got)} for {shape}")

    def update(self, labels: Any, logits: Any) -> None:
        """Counts a batch."""
        probabilities = keras.ops.softmax(keras.ops.cast(logits, "float32"))
        for metric in self.metrics:
            metric.update_state(labels, probabilities)

    def results(self) -> dict[str, float]:
        """Returns the values by name."""
        return {m.name: float(keras.ops.convert_to_numpy(m.result())) for m in self.metrics}


def check_metrics(metrics: Sequence[Any], taken: Collection[str]) -> None:
    """Refuses what is no metric, or has the name of another value.

    Args:
        metrics: The metrics.
        taken: Names that values of an epoch have already.

    Raises:
        ValueError: It is one of these.
    """
    names = list(taken)
    for metric in metrics:
        if not isinstance(metric, keras.metrics.Metric):
            raise ValueError(f"metrics are objects of keras.metrics.Metric, got {shown(metric)}")
        if metric.name in names:
            raise ValueError(
                f"metric {shown(metric.name)}: another value has this name; give it another"
            )
        names.append(metric.name)


def _made_anew(metric: keras.metrics.Metric) -> keras.metrics.Metric:
    """Returns a metric of the same settings that has counted nothing."""
    try:
        return type(metric).from_config(metric.get_config())
    except Exception as error:
        raise ValueError(
            f"metric {shown(metric.name)} cannot be made anew from its get_config(): "
            f"{line(str(error))}"
        ) from error
