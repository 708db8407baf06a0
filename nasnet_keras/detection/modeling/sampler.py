"""A sample of positive and negative examples, of a size that does not depend on the data."""

from __future__ import annotations

from typing import Any

from keras import ops


def sample_balanced(
    positive: Any, negative: Any, noise: Any, size: int, positive_fraction: float
) -> tuple[Any, Any]:
    """Draws positive examples up to their fraction and negative ones for the rest.

    Where both are too few, places stay empty.

    Args:
        positive: `(batch, N)`, bool.
        negative: `(batch, N)`, bool.
        noise: `(batch, N)`, float32 in [0, 1): the examples of the largest are drawn.
        size: Examples to draw.
        positive_fraction: Largest fraction of positive ones.

    Returns:
        `(indices, drawn)`, both `(batch, size)`: int32 in [0, N), positive ones first, and whether
        the place is taken.
    """
    total = noise.shape[1]
    missing = size if total is None else max(0, size - total)
    noise = ops.pad(noise, [[0, 0], [0, missing]])
    positive = ops.pad(positive, [[0, 0], [0, missing]])
    negative = ops.pad(negative, [[0, 0], [0, missing]])

    most = int(size * positive_fraction)
    indices, taken = [], []
    if most:
        keys, order = ops.top_k(ops.where(positive, noise, -1.0), most)
        indices.append(order)
        taken.append(keys >= 0)
    keys, order = ops.top_k(ops.where(negative, noise, -1.0), size)
    used = ops.sum(ops.cast(taken[0], "int32"), axis=-1, keepdims=True) if most else 0
    indices.append(order)
    taken.append(ops.logical_and(keys >= 0, ops.arange(size, dtype="int32")[None] < size - used))

    candidates = ops.concatenate([ops.cast(x, "int32") for x in indices], axis=-1)
    drawn = ops.concatenate(taken, axis=-1)
    places = ops.arange(most + size, 0, -1, dtype="float32")
    keys, order = ops.top_k(ops.where(drawn, places[None], 0.0), size)
    candidates = ops.take_along_axis(candidates, ops.cast(order, "int32"), axis=-1)
    drawn = keys > 0
    return ops.where(drawn, candidates, 0), drawn
