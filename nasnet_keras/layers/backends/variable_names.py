"""Short names of TensorFlow's variables, which are made in less time."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras


def short_names() -> AbstractContextManager[Any]:
    """Within the block, TensorFlow's own names of variables leave out the layers around it.

    TensorFlow prepares a kernel for every shape and name of a variable, which takes several times
    as long as the rest of making it. Keras's names and paths stay as they are.
    """
    if keras.backend.backend() != "tensorflow":
        return nullcontext()
    import tensorflow as tf

    return tf.name_scope("")
