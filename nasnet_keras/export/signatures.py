"""A SavedModel's two signatures: images as arrays, and image files as bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras


def check_backend(what: str) -> None:
    """Raises a `ValueError` on another backend than TensorFlow; `what`: "a model is written"."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"{what} by the TensorFlow backend, not {keras.backend.backend()}: "
            "set KERAS_BACKEND=tensorflow"
        )


def write_signatures(
    path: Path,
    model: keras.Model,
    serve_images: Callable[..., Any],
    specs: Sequence[Any],
    serve_bytes: Callable[[Any], Any],
) -> None:
    """Writes a SavedModel.

    Args:
        path: Its directory.
        model: Holds the weights.
        serve_images: The signature `serving_default`.
        specs: Its `tf.TensorSpec`s.
        serve_bytes: The signature `serve_bytes`, of `image_bytes`, strings `(batch,)`.
    """
    import tensorflow as tf

    encoded = tf.TensorSpec((None,), tf.string, name="image_bytes")
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", serve_images, input_signature=list(specs))
    archive.add_endpoint("serve_bytes", serve_bytes, input_signature=[encoded])
    archive.write_out(str(path), verbose=False)
