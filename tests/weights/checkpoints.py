"""TensorFlow 1's files as its own programs write them."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_checkpoint(prefix: str | Path, values: Mapping[str, Any]) -> str:
    """Writes a checkpoint the way TF 1's Saver lays it out."""
    import tensorflow as tf

    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=[tf.constant(value) for value in values.values()],
    )
    return str(prefix)


def write_frozen_graph(path: str | Path, values: Mapping[str, Any]) -> str:
    """Freezes a graph that reads variables, the way TF 1's `freeze_graph` does."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session() as session:
        fed = {}
        total = v1.placeholder("float32", [], name="image_tensor")
        for name, value in values.items():
            # One that is given the value itself would be a second constant of the graph.
            initializer = v1.placeholder("float32", value.shape)
            variable = v1.get_variable(name, initializer=initializer, use_resource=False)
            total += v1.reduce_sum(variable)
            fed[initializer] = value
        session.run(v1.global_variables_initializer(), fed)
        tf.identity(total, name="detection_scores")
        frozen = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["detection_scores"]
        )
    Path(path).write_bytes(frozen.SerializeToString())
    return str(path)


def write_archive(path: str | Path, values: Mapping[str, Any], folder: str = "") -> Path:
    """Packs a checkpoint as the published archives are packed."""
    path = Path(path)
    with tempfile.TemporaryDirectory() as directory:
        prefix = write_checkpoint(Path(directory) / "model.ckpt", values)
        Path(directory, "checkpoint").write_text('model_checkpoint_path: "/their/model.ckpt"\n')
        with tarfile.open(path, "w:gz") as tar:
            for suffix in (".index", ".data-00000-of-00001"):
                tar.add(f"{prefix}{suffix}", f"{folder}model.ckpt{suffix}")
            tar.add(Path(directory, "checkpoint"), f"{folder}checkpoint")
    return path
