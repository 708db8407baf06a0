"""Which backends compute shares."""

from __future__ import annotations

from typing import Any

import keras


def shares_of_backend() -> Any:
    """Returns the module that computes shares with the backend in use.

    Raises:
        ValueError: There is none for it.
    """
    name = keras.backend.backend()
    if name == "tensorflow":
        from nasnet_keras.training.backup_workers import tensorflow_shares

        return tensorflow_shares
    if name == "jax":
        from nasnet_keras.training.backup_workers import jax_shares

        return jax_shares
    raise ValueError(f"distribution ray is not available with Keras's backend {name}")
