"""Trained networks as files that other programs load, and as classifiers of pictures."""

from nasnet_keras.export.classifier import Classifier, load_classifier
from nasnet_keras.export.saved_model import export_saved_model

__all__ = ["Classifier", "export_saved_model", "load_classifier"]
