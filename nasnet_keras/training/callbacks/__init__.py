"""What happens between the steps and epochs of a run."""

from nasnet_keras.training.callbacks.stopping import NonFiniteLossError
from nasnet_keras.training.callbacks.user_callbacks import CallbackError

__all__ = ["CallbackError", "NonFiniteLossError"]
