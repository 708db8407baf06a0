"""Networks: configuration, builder, published presets, the keras.applications signatures."""

from nasnet_keras.models.applications import (
    NASNetCIFAR,
    NASNetLarge,
    NASNetMobile,
    PNASNetLarge,
    PNASNetMobile,
    decode_predictions,
    preprocess_input,
)
from nasnet_keras.models.builder import build_network
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.endpoints import endpoints, feature_extractor
from nasnet_keras.models.inference import inference_model
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.models.presets import Preset, Published, get_preset, list_models
from nasnet_keras.models.registry import create_model

__all__ = [
    "LayerwiseConfig",
    "NASNetCIFAR",
    "NASNetLarge",
    "NASNetMobile",
    "NetworkConfig",
    "PNASNetLarge",
    "PNASNetMobile",
    "Preset",
    "Published",
    "build_network",
    "create_model",
    "decode_predictions",
    "endpoints",
    "feature_extractor",
    "get_preset",
    "inference_model",
    "list_models",
    "preprocess_input",
]
