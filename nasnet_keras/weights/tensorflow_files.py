"""The arrays of TensorFlow 1's files: checkpoints and frozen graphs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from nasnet_keras.files.input_files import check_file, read_file
from nasnet_keras.weights.assign import StoredArray, first_line
from nasnet_keras.weights.slim_names import VARIABLE_WORDS

DATA_SUFFIX = ".data-00000-of-00001"
GRAPH_SUFFIX = ".pb"
GRAPH_NAME = "frozen_inference_graph.pb"
_TABLE_MAGIC = bytes.fromhex("57fb808b247547db")  # How the tables of a checkpoint end (LevelDB's).


def import_tensorflow() -> Any:
    """Returns TensorFlow, which only its own file format needs.

    Raises:
        ImportError: It is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError("slim's checkpoints are TensorFlow's: install tensorflow") from error
    return tf


def open_tensorflow_file(path: str | os.PathLike[str]) -> tuple[str, dict[str, StoredArray]]:
    """Lists the arrays of a checkpoint or of a frozen graph.

    Args:
        path: A checkpoint: its prefix, its `.index` file, or a directory with a `checkpoint` file
            or one checkpoint; or a frozen graph (`.pb`), or a directory that has no checkpoint but
            one named `frozen_inference_graph.pb`.

    Returns:
        What was found, and its arrays by name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or of another kind.
        ImportError: TensorFlow is not installed.
    """
    path = os.fspath(path)
    graph = os.path.join(path, GRAPH_NAME)
    if os.path.isfile(graph) and not any(name.endswith(".index") for name in os.listdir(path)):
        path = graph
    return _open_graph(path) if path.endswith(GRAPH_SUFFIX) else _open_checkpoint(path)


def _open_graph(path: str) -> tuple[str, dict[str, StoredArray]]:
    """Returns the variables of a frozen graph, which are constants of their names there."""
    tf = import_tensorflow()
    content = read_file(path)
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(content)
    # Protobuf's implementations raise different errors.
    except Exception as error:
        raise ValueError(f"{path} is not a complete frozen graph: {first_line(error)}") from error

    def stored(name: str, tensor: Any) -> StoredArray:
        def read() -> np.ndarray:
            try:
                return tf.make_ndarray(tensor)
            except (ValueError, TypeError) as error:
                raise ValueError(f"{path} is damaged at {name!r}: {first_line(error)}") from error

        return StoredArray(tuple(side.size for side in tensor.tensor_shape.dim), read)

    arrays = {
        node.name: stored(node.name, node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const" and node.name.rpartition("/")[2] in VARIABLE_WORDS
    }
    if not arrays:
        raise ValueError(f"{path} is not a frozen graph: no constant in it is named as a variable")
    return path, arrays


def _open_checkpoint(prefix: str) -> tuple[str, dict[str, StoredArray]]:
    """Returns the real prefix and everything in the checkpoint."""
    tf = import_tensorflow()
    source = _find_prefix(tf, prefix)
    _check_table(tf, source)
    # What TensorFlow raises for a damaged file depends on where the damage is.
    damage = (tf.errors.OpError, ValueError, RuntimeError, LookupError)
    try:
        reader = tf.train.load_checkpoint(source)
        shapes = reader.get_variable_to_shape_map()
    except damage as error:
        raise ValueError(f"{source} is not a readable checkpoint: {first_line(error)}") from error

    if any("/.ATTRIBUTES/" in name for name in shapes):
        raise ValueError(
            f"{source} is an object-based checkpoint (tf.train.Checkpoint), which has no slim names"
        )

    def stored(name: str, shape: Iterable[int]) -> StoredArray:
        def read() -> np.ndarray:
            try:
                return reader.get_tensor(name)
            except damage as error:
                raise ValueError(
                    f"{source} is cut short or damaged at {name!r}: {first_line(error)}"
                ) from error

        return StoredArray(tuple(shape), read)

    return source, {name: stored(name, shapes[name]) for name in sorted(shapes)}


def _find_prefix(tf: Any, prefix: str) -> str:
    files = tf.io.gfile
    if files.isdir(prefix):
        latest = tf.train.latest_checkpoint(prefix)
        if latest is not None:
            return latest
        # A published archive has no `checkpoint` file, or one that names its maker's directories.
        indices = files.glob(os.path.join(prefix, "*.index"))
        if len(indices) != 1:
            raise FileNotFoundError(
                f"{prefix} has {len(indices)} checkpoints and no `checkpoint` file that names one"
            )
        return indices[0].removesuffix(".index")
    for suffix in (".index", DATA_SUFFIX):
        prefix = prefix.removesuffix(suffix)
    if files.exists(f"{prefix}.index") or files.exists(prefix):
        return prefix
    raise FileNotFoundError(f"no such checkpoint: {prefix} (there is no {prefix}.index)")


def _check_table(tf: Any, prefix: str) -> None:
    """Refuses a file that is no table; TensorFlow does too, with lines of its own on the terminal.

    Raises:
        OSError: One of the checkpoint's files is no file.
        ValueError: The file is no table, or is cut short.
    """
    index = f"{prefix}.index"
    path = index if tf.io.gfile.exists(index) else prefix  # A TF 0.x checkpoint is one file.
    # A remote one has an address, of which nothing is found here.
    for local in glob.glob(f"{glob.escape(prefix)}.data-*") + glob.glob(glob.escape(path)):
        check_file(local)
    size = tf.io.gfile.stat(path).length
    with tf.io.gfile.GFile(path, "rb") as file:
        file.seek(max(0, size - len(_TABLE_MAGIC)))
        end = file.read()
    if end != _TABLE_MAGIC:
        raise ValueError(f"{prefix} is not a readable checkpoint: {path} is not a table of tensors")
