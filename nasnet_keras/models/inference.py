"""A network as it is used: image in, probabilities out."""

from __future__ import annotations

import keras

from nasnet_keras.models.endpoints import endpoints


def inference_model(model: keras.Model) -> keras.Model:
    """Returns the part of a network that predicts, sharing its weights.

    A network built for training also has an auxiliary head; this leaves it out.

    Args:
        model: A network of this package with a classifier.

    Returns:
        A model from the network's input to `{"logits": (batch, classes), "probabilities": (batch,
        classes)}`, float32 also under mixed precision.

    Raises:
        ValueError: The model is no network of this package, or has no classifier.
    """
    tensors = endpoints(model)
    if "Logits" not in tensors:
        raise ValueError(f"network {model.name!r} has no classifier: it was built without its top")
    logits = keras.ops.cast(tensors["Logits"], "float32")
    outputs = {"logits": logits, "probabilities": keras.ops.softmax(logits)}
    return keras.Model(model.inputs[0], outputs, name=f"{model.name}_inference")
