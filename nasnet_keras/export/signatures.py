"""A SavedModel's two signatures, images as arrays and image files as bytes, and their checks.

A server answers many: what one of them sends wrong must fail that request only. TensorFlow does
not compare a tensor with its signature's shape, and some of its kernels end the whole process
where the rank is not what they expect. So the checks stand in the graph, before the network.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from nasnet_keras.data.served_images import LARGEST_VALUE, decode_served, refusal

_DECODED_AT_ONCE = 4
"""Images of a request; each can take 16 bytes a pixel while it is resized."""


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
    """Writes a SavedModel whose signatures refuse what is not as they say.

    Args:
        path: Its directory.
        model: Holds the weights.
        serve_images: The signature `serving_default`.
        specs: Its `tf.TensorSpec`s, float32 or uint8, with a row for each image; those come first.
        serve_bytes: The signature `serve_bytes`, of `image_bytes`, strings `(batch,)`; see
            `read_each`.
    """
    import tensorflow as tf

    encoded = tf.TensorSpec((None,), tf.string, name="image_bytes")
    archive = keras.export.ExportArchive()
    archive.track(model)
    for name, function, signature in (
        ("serving_default", serve_images, list(specs)),
        ("serve_bytes", serve_bytes, [encoded]),
    ):
        archive.add_endpoint(name, _checked(function, signature), input_signature=signature)
    archive.write_out(str(path), verbose=False)


def after_checks(tensors: Sequence[Any], checks: Mapping[str, Any]) -> list[Any]:
    """Returns tensors for what must not run before all checks have passed.

    Args:
        tensors: Tensors.
        checks: Scalar bools by what a request is told for which they are false.
    """
    import tensorflow as tf

    asserted = [tf.debugging.Assert(holds, [message]) for message, holds in checks.items()]
    with tf.control_dependencies(asserted):
        return [tf.identity(tensor) for tensor in tensors]


def read_each(
    image_bytes: Any, read: Callable[[Any], Any], specs: Any, upright: bool = True
) -> tuple[Any, Any]:
    """Decodes image files and prepares them for a network, each for itself.

    Args:
        image_bytes: `(batch,)`, strings.
        read: Prepares an image, `(height, width, 3)`, uint8.
        specs: `tf.TensorSpec`s of what it returns.
        upright: Turn images as their EXIF orientation says.

    Returns:
        What `read` returned, with a batch dimension, zeros for those that are refused; and why
        they are, strings `(batch,)`, empty for the others.
    """
    import tensorflow as tf

    def read_one(encoded: Any) -> tuple[Any, Any]:
        status = refusal(encoded)
        values = tf.cond(
            status == "",
            lambda: read(decode_served(encoded, upright)),
            lambda: tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), specs),
        )
        return values, status

    return tf.map_fn(
        read_one,
        image_bytes,
        fn_output_signature=(specs, tf.TensorSpec((), tf.string)),
        parallel_iterations=_DECODED_AT_ONCE,
    )


def answer_for_each(status: Any, **outputs: tuple[Any, Any]) -> dict[str, Any]:
    """Returns an answer in which the images that were refused have nothing.

    Args:
        status: As `read_each` returned it; it becomes the output `status`.
        **outputs: By name, an output `(batch, ...)` and what those that were refused get instead.
    """
    import tensorflow as tf

    def one(output: Any, nothing: Any) -> Any:
        is_read = tf.reshape(status == "", [-1] + [1] * (output.shape.rank - 1))
        return tf.where(is_read, output, tf.cast(nothing, output.dtype))

    return {name: one(*pair) for name, pair in outputs.items()} | {"status": status}


def check_refusals(signatures: Any) -> None:
    """Tries that signatures refuse what is not as they say.

    Args:
        signatures: Those of a loaded SavedModel.

    Raises:
        ValueError: They do not.
    """
    import tensorflow as tf

    serve_images, serve_bytes = signatures["serving_default"], signatures["serve_bytes"]
    specs = serve_images.structured_input_signature[1]
    # One channel more, in one image as small as it may be.
    sizes = {name: [side or 1 for side in spec.shape[:-1]] for name, spec in specs.items()}
    wrong = {
        name: tf.zeros([*sizes[name], spec.shape[-1] + 1], spec.dtype)
        for name, spec in specs.items()
    }
    try:
        serve_images(**wrong)
    except tf.errors.InvalidArgumentError as error:
        refused = "not compatible with expected shape" in error.message
    else:
        refused = False
    status = serve_bytes(image_bytes=tf.constant([b"GIF89a"]))["status"].numpy()
    if not refused or b"holds a GIF image" not in status[0]:
        raise ValueError("the SavedModel does not refuse wrong requests; nothing was written")


def _checked(function: Callable[..., Any], specs: Sequence[Any]) -> Callable[..., Any]:
    """Returns a function that checks shapes, numbers of rows and values before it runs."""
    import tensorflow as tf

    @functools.wraps(function)
    def checked(*tensors: Any) -> Any:
        # This checks when it runs, even where the shape is known.
        shaped = [tf.ensure_shape(x, spec.shape) for x, spec in zip(tensors, specs, strict=True)]
        count = tf.shape(shaped[0])[0]
        checks = {f"{specs[0].name} is empty": count > 0}
        if specs[0].dtype == tf.float32:
            limit = f"{LARGEST_VALUE:,.0f}"
            message = f"{specs[0].name} has a value that is no number from -{limit} to {limit}"
            checks[message] = tf.reduce_all(tf.abs(shaped[0]) <= LARGEST_VALUE)
        for tensor, spec in zip(shaped[1:], specs[1:], strict=True):
            message = f"{spec.name} has not as many rows as {specs[0].name}"
            checks[message] = tf.shape(tensor)[0] == count
        return function(*after_checks(shaped, checks))

    return checked
