"""Trained networks as files that other programs load."""

from nasnet_keras.export.saved_model import export_saved_model

__all__ = ["export_saved_model"]
