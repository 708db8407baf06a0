"""Trained networks: read back from disk, used on images, written as files other programs load."""

from nasnet_keras.export.classifier import Classifier, load_classifier
from nasnet_keras.export.inference import inference_model
from nasnet_keras.export.saved_model import export_saved_model
from nasnet_keras.export.trained_model import TrainedModel, load_trained_model

__all__ = [
    "Classifier",
    "TrainedModel",
    "export_saved_model",
    "inference_model",
    "load_classifier",
    "load_trained_model",
]
