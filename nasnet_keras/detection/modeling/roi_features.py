"""The features of each proposal (ROI), a bounded index of proposals at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from nasnet_keras.detection.modeling.cell_stack import CellStack
from nasnet_keras.detection.modeling.roi_align import roi_align


def roi_features(
    second_stage: CellStack,
    features: Any,
    boxes: Any,
    crop_size: int,
    crops_per_chunk: int | None,
    step: Any = None,
    training: bool = False,
) -> Any:
    """Runs the second stage on the aligned features of each box and averages over their pixels.

    Chunks bound the memory: they are computed one after the other, and a second time for the
    gradients. BN in training sees one chunk, its padding included, as its batch; its statistics and
    drop path's seeds are passed from chunk to chunk.

    Args:
        second_stage: The cells.
        features: `(batch, height, width, channels)`.
        boxes: `(batch, N, 4)`, see `roi_align`; N known.
        crop_size: Side of the aligned features, in pixels.
        crops_per_chunk: Boxes at a time, of one image; `None` for all of the batch at once.
        step: Training step, for drop path.
        training: Whether BN and drop path are in training.

    Returns:
        `(batch, N, second_stage.output_channels)`, float32.
    """
    batch, count = ops.shape(boxes)[0], boxes.shape[1]
    per_chunk = count if crops_per_chunk is None else min(crops_per_chunk, count)
    chunks = -(-count // per_chunk)
    images = ops.arange(batch, dtype="int32")
    channels = second_stage.output_channels

    def pooled(crops: Any) -> Any:
        return ops.mean(ops.cast(crops, "float32"), axis=(1, 2))

    if crops_per_chunk is None or (boxes.shape[0] == 1 and chunks == 1):
        crops = roi_align(
            features, ops.reshape(boxes, (-1, 4)), ops.repeat(images, count), crop_size
        )
        values = pooled(second_stage(crops, step=step, training=training))
        return ops.reshape(values, (-1, count, channels))

    boxes = ops.pad(boxes, [[0, 0], [0, chunks * per_chunk - count], [0, 0]])
    # Strided, not consecutive, boxes: a sample begins with its positive examples, which BN would
    # tell apart by the statistics of a chunk of their own.
    boxes = ops.transpose(ops.reshape(boxes, (-1, per_chunk, chunks, 4)), (0, 2, 1, 3))
    boxes = ops.reshape(boxes, (-1, per_chunk, 4))
    images = ops.repeat(images, chunks)
    weights = [ops.convert_to_tensor(v.value) for v in second_stage.trainable_variables]

    def of_chunk(state: list[Any], chunk: tuple[Any, Any]) -> tuple[list[Any], Any]:
        chunk_boxes, image = chunk
        indices = ops.zeros((per_chunk,), "int32") + image

        def compute(features: Any, *weights: Any) -> tuple[Any, ...]:
            crops = roi_align(features, chunk_boxes, indices, crop_size)
            outputs, new_state = second_stage.stateless_call(
                list(weights), state, crops, step=step, training=training
            )
            return (pooled(outputs), *(_differentiable(x) for x in new_state))

        compute = keras.remat(compute) if training else compute
        values, *new_state = compute(features, *weights)
        return [ops.cast(x, old.dtype) for x, old in zip(new_state, state, strict=True)], values

    state = [ops.convert_to_tensor(v.value) for v in second_stage.non_trainable_variables]
    state, values = _scan(of_chunk, state, (boxes, images), (per_chunk, channels))
    if training:
        for variable, value in zip(second_stage.non_trainable_variables, state, strict=True):
            variable.assign(value)
    values = ops.transpose(ops.reshape(values, (-1, chunks, per_chunk, channels)), (0, 2, 1, 3))
    return ops.reshape(values, (-1, chunks * per_chunk, channels))[:, :count]


def _differentiable(x: Any) -> Any:
    """Turns a seed's integer into a float that holds it: TensorFlow recomputes floats only."""
    is_integer = "int" in keras.backend.standardize_dtype(x.dtype)
    return ops.cast(x, "float64") if is_integer and _on_tensorflow() else x


def _on_tensorflow() -> bool:
    return keras.backend.backend() == "tensorflow"


def _scan(
    function: Callable[[list[Any], tuple[Any, Any]], tuple[list[Any], Any]],
    carry: list[Any],
    inputs: tuple[Any, Any],
    output_shape: tuple[int, int],
) -> tuple[list[Any], Any]:
    """`keras.ops.scan`, which on TensorFlow wants outputs shaped as the carry."""
    if not _on_tensorflow():
        return ops.scan(function, carry, inputs)
    import tensorflow as tf

    count = inputs[1].shape[0] or tf.shape(inputs[1])[0]
    outputs = tf.TensorArray("float32", size=count, element_shape=output_shape)

    def body(index: Any, carry: list[Any], outputs: Any) -> tuple[Any, list[Any], Any]:
        carry, output = function(carry, (inputs[0][index], inputs[1][index]))
        return index + 1, carry, outputs.write(index, output)

    _, carry, outputs = tf.while_loop(
        lambda index, carry, outputs: index < count,
        body,
        (tf.constant(0), carry, outputs),
        # In parallel they would take as much memory as no chunks at all.
        parallel_iterations=1,
        maximum_iterations=count,
    )
    return carry, outputs.stack()
