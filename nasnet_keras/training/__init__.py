"""What every long run shares: its directory, checkpoints, log, callbacks and optimizers."""
