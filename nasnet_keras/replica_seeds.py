"""Random numbers that differ between the replicas of a `tf.distribute` strategy."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

# Far apart, so that replica 1 of a layer with seed 0 is not replica 0 of one with seed 1.
_BETWEEN_REPLICAS = 1_000_003


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """`keras.random.SeedGenerator`, but each replica draws numbers of its own.

    Every replica has the same state, and from Keras's own generator all would drop the same paths
    and shift their images alike. With one replica, and on backends that see the whole batch, the
    numbers are Keras's.

    Args: As `keras.random.SeedGenerator`.
    """

    def next(self, ordered: bool = True) -> Any:
        seed = super().next(ordered)
        if keras.backend.backend() != "tensorflow":
            return seed
        import tensorflow as tf

        replica = tf.distribute.get_replica_context()
        if replica is None or replica.num_replicas_in_sync == 1:
            return seed
        number = ops.cast(replica.replica_id_in_sync_group, seed.dtype)
        return seed + ops.stack([number * _BETWEEN_REPLICAS, ops.zeros_like(number)])
