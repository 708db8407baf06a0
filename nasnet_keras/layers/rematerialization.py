"""A layer's computation that keeps no intermediate results for its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def rematerialize(layer: keras.layers.Layer, function: Callable[..., Any], *inputs: Any) -> Any:
    """Returns `function(*inputs)`, computed anew when its gradient is taken (Chen et al. 2016).

    `keras.remat` of a function that has state would advance the state twice: the second time, drop
    path would draw other masks and BN's moving statistics would move again. Here the function is
    given the variables as they were, both times, and their new values are assigned once.

    Args:
        layer: A built layer that owns every variable that the function reads or assigns.
        function: Tensors in, a tensor or a list of tensors out. It casts its weights itself: the
            second time it runs outside of the layer's `__call__`.
        *inputs: Tensors, or `None`.
    """
    variables = list(layer.variables)
    state = [variable for variable in variables if not variable.trainable]
    tensors = [ops.convert_to_tensor(variable) for variable in variables]
    tensors += [x for x in inputs if x is not None]
    types = [keras.backend.standardize_dtype(x.dtype) for x in tensors]
    floats = [number for number, dtype in enumerate(types) if "float" in dtype]
    # Whole numbers are read from around the function: as arguments they would be differentiated.
    # A sum, because TensorFlow's "tensor" of a variable is the variable, read after its update.
    tensors = [x if number in floats else x + 0 for number, x in enumerate(tensors)]
    single = True

    def stateless(*arguments: Any) -> list[Any]:
        nonlocal single
        values = list(tensors)
        for number, argument in zip(floats, arguments, strict=True):
            values[number] = argument
        given = iter(values[len(variables) :])
        pairs = zip(variables, values[: len(variables)], strict=True)
        with keras.StatelessScope(list(pairs)) as scope:
            outputs = function(*(None if x is None else next(given) for x in inputs))
        single = not isinstance(outputs, list)
        news = [ops.stop_gradient(scope.get_current_value(v)) for v in state]
        return [*([outputs] if single else outputs), *news]

    flat = keras.remat(stateless)(*[tensors[number] for number in floats])
    outputs, news = flat[: len(flat) - len(state)], flat[len(flat) - len(state) :]
    for variable, new in zip(state, news, strict=True):
        variable.assign(new)
    return outputs[0] if single else outputs
