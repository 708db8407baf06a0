"""slim's end points of a built network, and models that return some of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from nasnet_keras.text.suggestions import unknown_name
from nasnet_keras.weights.slim_names import name_prefix

_HEAD = {
    "global_pool": "global_pool",
    "final_layer": "Logits",
    "predictions": "Predictions",
}


def endpoints(model: keras.Model) -> dict[str, Any]:
    """Returns the named tensors of a network, as slim's `end_points`.

    Works on a network just built and on one loaded from a `.keras` file.

    Args:
        model: A network of this package.

    Returns:
        `{"Stem": ..., "Cell_0": ..., "Reduction_Cell_0": ..., "global_pool": (batch, features),
        "Logits": ..., "AuxLogits": ..., "Predictions": ...}`, symbolic tensors in the order of the
        network; only those that the model has. A NASNet-B cell's is a list of four. A layer-wise
        network has `"Layer_0"` and so on instead of stem and cells.

    Raises:
        ValueError: The model is no network of this package.
    """
    result: dict[str, Any] = {}
    cells = 0
    layers: dict[int, Any] = {}
    prefix = name_prefix(layer.name for layer in model.layers)
    for layer in model.layers:
        name = layer.name.removeprefix(prefix)
        if name in ("conv0_bn", "l1_stem_bn") or name.startswith("cell_stem_"):
            result["Stem"] = layer.output
        elif name.startswith("reduction_cell_"):
            result[f"Reduction_Cell_{name.removeprefix('reduction_cell_')}"] = layer.output
            cells += 1
        elif name.startswith("cell_") and name[5:].isdigit():
            result[f"Cell_{name[5:]}"] = layer.output
            cells += 1
        elif name.startswith("layer_") and name[6:].isdigit():
            layers[int(name[6:])] = layer.output
        elif name.startswith("aux_"):
            result["AuxLogits"] = layer.output
        elif name in _HEAD:
            result[_HEAD[name]] = layer.output
    if not layers and ("Stem" not in result or not cells):
        raise ValueError(f"model {model.name!r} is not a network of nasnet_keras: it has no cells")
    if "Logits" in result and "Predictions" not in result:
        result["Predictions"] = keras.ops.softmax(result["Logits"])
    # Keras puts layers that read the image alike next to each other.
    return {f"Layer_{index}": layers[index] for index in sorted(layers)} | result


def feature_extractor(model: keras.Model, names: Sequence[str]) -> keras.Model:
    """Returns a model that gives some end points, sharing the network's weights.

    Args:
        model: A network of this package.
        names: Names of `endpoints(model)`, e.g. `["Cell_10", "Cell_11"]`.

    Returns:
        A model whose output is a dictionary of those names.

    Raises:
        ValueError: A name is unknown (the nearest is suggested), or none is given.
    """
    if isinstance(names, str) or not names:
        raise ValueError(f"names is a list of end points, got {names!r}")
    available = endpoints(model)
    for name in names:
        if name not in available:
            raise ValueError(unknown_name("end point", name, available))
    outputs = {name: available[name] for name in names}
    return keras.Model(model.input, outputs, name=f"{model.name}_features")
