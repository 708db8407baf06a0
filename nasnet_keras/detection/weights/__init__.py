"""Weights of detectors: the original's checkpoints, and detectors by name."""
