"""How TensorFlow runs the streams of batches."""

from __future__ import annotations

from typing import Any

_BATCHES_AHEAD = 2


def prefetched(batches: Any) -> Any:
    """Returns a dataset that is read ahead, in a fixed order and by every core.

    Args:
        batches: A `tf.data.Dataset`, of which each host reads its own share already.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.deterministic = True
    # The thread that tunes sleeps for up to a minute, and whoever drops the dataset waits for it.
    # Untuned, what may run in parallel does so on every core.
    options.autotune.enabled = False
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return batches.prefetch(_BATCHES_AHEAD).with_options(options)
