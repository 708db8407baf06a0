"""A network in full precision, whatever it was trained in."""

from __future__ import annotations

from typing import Any

import keras


def float32_network(network: keras.Model) -> keras.Model:
    """Returns a network that computes in float32, with the weights of one that may not.

    A network trained under mixed precision keeps float32 weights and rounds at every step. Files
    are made from the weights, so what they are compared with must not round either.

    Args:
        network: A functional model, e.g. `inference_model`'s.

    Returns:
        The network itself where it computes in float32 already, else a copy.
    """
    if all(layer.compute_dtype == "float32" for layer in network._flatten_layers()):
        return network

    def in_float32(layer: Any) -> Any:
        config = layer.get_config()
        # Operations between layers have no type of their own.
        if isinstance(layer, keras.Layer):
            config["dtype"] = "float32"
        return type(layer).from_config(config)

    copy: Any = keras.models.clone_model(network, clone_function=in_float32)
    copy.set_weights(network.get_weights())
    return copy
