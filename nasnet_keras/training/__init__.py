"""What every long run shares: its directory, checkpoints, log, callbacks and optimizers."""

from nasnet_keras.training.run_options import RunOptions

__all__ = ["RunOptions"]
