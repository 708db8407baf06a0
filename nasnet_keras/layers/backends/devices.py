"""Whether a backend computes on the CPU."""

from __future__ import annotations

import keras


def has_accelerator() -> bool:
    """Returns whether TensorFlow or JAX, as Keras's backend, has another device than CPUs."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.default_backend() != "cpu"
    import tensorflow as tf

    return any(device.device_type != "CPU" for device in tf.config.list_logical_devices())
