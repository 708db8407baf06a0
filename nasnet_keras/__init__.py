"""NASNet and PNASNet in Keras 3: networks, training, search and detection.

Names are loaded when first used, so that `nasnet_keras.genotypes` needs nothing but the standard
library and a program's `--help` does not wait for Keras. The layers are registered with Keras, so
that it can load saved networks, as soon as both are imported: here if Keras came first, else by the
first name used, of which `load_model` is one.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "nasnet_keras.genotypes": (
        "Block",
        "Branch",
        "CellGenotype",
        "ConvolutionLayer",
        "Genotype",
        "LayerwiseGenotype",
        "MaxPoolLayer",
        "get_genotype",
        "list_genotypes",
    ),
    "nasnet_keras.detection": (
        "FasterRCNN",
        "create_detector",
        "load_detector_checkpoint",
        "save_detector_checkpoint",
    ),
    "nasnet_keras.models": (
        "LayerwiseConfig",
        "NASNetCIFAR",
        "NASNetLarge",
        "NASNetMobile",
        "NetworkConfig",
        "PNASNetLarge",
        "PNASNetMobile",
        "build_network",
        "create_model",
        "decode_predictions",
        "endpoints",
        "feature_extractor",
        "get_preset",
        "inference_model",
        "list_models",
        "preprocess_input",
    ),
    "nasnet_keras.publishing": ("push_to_hub",),
    "nasnet_keras.training.saved_network": ("load_model",),
    "nasnet_keras.models.complexity": ("count_multiply_adds", "count_parameters"),
    "nasnet_keras.weights": (
        "list_weights",
        "load_keras_applications_weights",
        "load_pretrained",
        "load_slim_checkpoint",
        "load_timm_weights",
        "save_slim_checkpoint",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

if TYPE_CHECKING:
    from nasnet_keras.detection import (  # noqa: F401
        FasterRCNN,
        create_detector,
        load_detector_checkpoint,
        save_detector_checkpoint,
    )
    from nasnet_keras.genotypes import (  # noqa: F401
        Block,
        Branch,
        CellGenotype,
        ConvolutionLayer,
        Genotype,
        LayerwiseGenotype,
        MaxPoolLayer,
        get_genotype,
        list_genotypes,
    )
    from nasnet_keras.models import (  # noqa: F401
        LayerwiseConfig,
        NASNetCIFAR,
        NASNetLarge,
        NASNetMobile,
        NetworkConfig,
        PNASNetLarge,
        PNASNetMobile,
        build_network,
        create_model,
        decode_predictions,
        endpoints,
        feature_extractor,
        get_preset,
        inference_model,
        list_models,
        preprocess_input,
    )
    from nasnet_keras.models.complexity import (  # noqa: F401
        count_multiply_adds,
        count_parameters,
    )
    from nasnet_keras.publishing import push_to_hub  # noqa: F401
    from nasnet_keras.training.saved_network import load_model  # noqa: F401
    from nasnet_keras.weights import (  # noqa: F401
        list_weights,
        load_keras_applications_weights,
        load_pretrained,
        load_slim_checkpoint,
        load_timm_weights,
        save_slim_checkpoint,
    )


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        module = importlib.import_module(_MODULE_OF[name])
        if "keras" in sys.modules:
            importlib.import_module("nasnet_keras.training.saved_network")
        return getattr(module, name)
    raise AttributeError(f"module 'nasnet_keras' has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", *sorted(_MODULE_OF)]


if "keras" in sys.modules:
    importlib.import_module("nasnet_keras.training.saved_network")
