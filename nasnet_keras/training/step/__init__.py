"""The training step on each backend: replicas, workers, a batch in parts."""
