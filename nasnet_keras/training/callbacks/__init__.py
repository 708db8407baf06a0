"""What happens between the steps and epochs of a run."""

from nasnet_keras.training.callbacks.stopping import NonFiniteLossError

__all__ = ["NonFiniteLossError"]
