"""What every layer must do, checked in one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np


def images(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomize(layer: Any, seed: int = 1) -> None:
    """Gives every variable a value that no default has, so that no weight can be ignored.

    Kernels are scaled by what goes into them: a network's probabilities stay between 0 and 1, where
    differences show.
    """
    generator = np.random.default_rng(seed)
    for variable in layer.weights:
        if "int" in keras.backend.standardize_dtype(variable.dtype):
            continue
        values = generator.normal(0.0, 0.5, variable.shape)
        if variable.path.endswith(("variance", "gamma")):
            values = generator.uniform(0.5, 1.5, variable.shape)
        elif len(variable.shape) > 1:
            depthwise = "depthwise" in variable.path.rsplit("/", 1)[-1]
            inputs = variable.shape[:2] if depthwise else variable.shape[:-1]
            values *= 2.0 / np.sqrt(np.prod(inputs))
        variable.assign(values.astype("float32"))


def as_arrays(outputs: Any) -> list[np.ndarray]:
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    return [keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")) for x in outputs]


def make_model(make: Callable[[], Any], inputs: list[np.ndarray]) -> keras.Model:
    """Wraps a layer of unknown height and width into a model."""
    symbols = [keras.Input((None, None, x.shape[-1])) for x in inputs]
    if keras.config.image_data_format() == "channels_first":
        symbols = [keras.Input((x.shape[1], None, None)) for x in inputs]
    layer = make()
    argument = symbols if layer_takes_list(layer) else symbols[0]
    return keras.Model(argument, layer(argument))


def layer_takes_list(layer: Any) -> bool:
    return type(layer).__name__ in ("Cell", "Combine")


def check_layer(
    make: Callable[[], Any],
    inputs: list[np.ndarray],
    tmp_path: Path,
    fixed_size: bool = False,
) -> list[np.ndarray]:
    """Checks a layer's shapes, saving, modes, precisions, layouts and gradients.

    Args:
        make: Makes the layer.
        inputs: Its input images, channels last.
        tmp_path: A folder to save to.
        fixed_size: Whether the layer needs a known height and width.

    Returns:
        The layer's output at inference, with the weights that `randomize` gave it.
    """
    keras.utils.set_random_seed(3)
    layer = make()
    argument = inputs if layer_takes_list(layer) else inputs[0]
    expected_shape = layer.compute_output_shape(
        [x.shape for x in inputs] if layer_takes_list(layer) else inputs[0].shape
    )
    layer(argument)
    randomize(layer)
    outputs = as_arrays(layer(argument, training=False))

    shapes = expected_shape if isinstance(expected_shape, list) else [expected_shape]
    assert [tuple(shape) for shape in shapes] == [x.shape for x in outputs]

    check_saves(layer, make, inputs, outputs, tmp_path, fixed_size)
    check_precisions(make, layer, inputs, outputs)
    check_compiles(layer, argument, outputs)
    check_channels_first(make, layer, inputs, outputs)
    for x, y in zip(as_arrays(layer(argument, training=True)), outputs, strict=True):
        assert np.isfinite(x).all() and x.shape == y.shape
    return outputs


def check_saves(
    layer: Any,
    make: Callable[[], Any],
    inputs: list[np.ndarray],
    outputs: list[np.ndarray],
    tmp_path: Path,
    fixed_size: bool,
) -> None:
    """A saved model loads in safe mode, without custom objects, and gives the same numbers."""
    if fixed_size:
        symbol = keras.Input(inputs[0].shape[1:])
        model = keras.Model(symbol, make()(symbol))
    else:
        model = make_model(make, inputs)
    model.set_weights(layer.get_weights())
    path = tmp_path / "layer.keras"
    model.save(path)
    loaded = keras.saving.load_model(path, safe_mode=True)
    results = as_arrays(loaded(inputs if layer_takes_list(layer) else inputs[0], training=False))
    for x, y in zip(results, outputs, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)
    assert [v.path for v in loaded.weights] == [v.path for v in model.weights]


def check_precisions(
    make: Callable[[], Any], layer: Any, inputs: list[np.ndarray], outputs: list[np.ndarray]
) -> None:
    """Half precision computes in it, keeps float32 weights and is near float32."""
    argument = inputs if layer_takes_list(layer) else inputs[0]
    before = keras.config.dtype_policy()
    for policy, tolerance in (("mixed_bfloat16", 0.15), ("mixed_float16", 0.02)):
        keras.config.set_dtype_policy(policy)
        try:
            half = make()
            half(argument)
            half.set_weights(layer.get_weights())
            results = half(argument, training=False)
        finally:
            keras.config.set_dtype_policy(before)
        results = results if isinstance(results, list | tuple) else [results]
        for x, y in zip(results, outputs, strict=True):
            assert keras.backend.standardize_dtype(x.dtype) == policy.removeprefix("mixed_")
            scale = max(1.0, float(np.abs(y).max()))
            assert np.abs(as_arrays(x)[0] - y).max() < tolerance * scale
        assert {v.dtype for v in half.trainable_weights} <= {"float32"}


def check_compiles(layer: Any, argument: Any, outputs: list[np.ndarray]) -> None:
    """XLA gives the same numbers; on torch, which compiles elsewhere, nothing to do."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(lambda x: layer(x, training=False), jit_compile=True)
    elif backend == "jax":
        import jax

        weights = [v.value for v in layer.trainable_variables]
        state = [v.value for v in layer.non_trainable_variables]
        compiled = jax.jit(lambda x: layer.stateless_call(weights, state, x)[0])
    else:
        return
    for x, y in zip(as_arrays(compiled(argument)), outputs, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-4)


def check_channels_first(
    make: Callable[[], Any], layer: Any, inputs: list[np.ndarray], outputs: list[np.ndarray]
) -> None:
    """Channels first gives the same numbers where the backend can compute it on this machine."""
    if keras.backend.backend() == "tensorflow":
        return  # TensorFlow has no channels-first convolution on CPUs.
    keras.config.set_image_data_format("channels_first")
    try:
        turned = make()
        moved = [np.moveaxis(x, -1, 1) for x in inputs]
        argument = moved if layer_takes_list(layer) else moved[0]
        turned(argument)
        turned.set_weights(layer.get_weights())
        results = as_arrays(turned(argument, training=False))
    finally:
        keras.config.set_image_data_format("channels_last")
    for x, y in zip(results, outputs, strict=True):
        np.testing.assert_allclose(
            np.moveaxis(x, 1, -1) if x.ndim == 4 else x, y, rtol=1e-3, atol=1e-4
        )
