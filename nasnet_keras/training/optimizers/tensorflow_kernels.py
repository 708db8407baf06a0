"""TensorFlow's own kernels that change variables: one operation where Keras has up to ten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras


def apply_rmsprop(
    variable: Any,
    mean_square: Any,
    velocity: Any,
    gradient: Any,
    rate: Any,
    decay: float,
    momentum: float,
    epsilon: float,
) -> None:
    """Takes a step of TF 1's RMSProp, see `RMSProp`."""
    import tensorflow as tf

    number = {"dtype": gradient.dtype}
    tf.raw_ops.ResourceApplyRMSProp(
        var=_handle(variable),
        ms=_handle(mean_square),
        mom=_handle(velocity),
        lr=rate,
        rho=tf.constant(decay, **number),
        momentum=tf.constant(momentum, **number),
        epsilon=tf.constant(epsilon, **number),
        grad=gradient,
    )


def apply_momentum(
    variable: Any, velocity: Any, gradient: Any, rate: Any, momentum: float, nesterov: bool
) -> None:
    """Takes a step of Keras's SGD with momentum: `v = momentum v - rate g`, `w = w + v`."""
    import tensorflow as tf

    tf.raw_ops.ResourceApplyKerasMomentum(
        var=_handle(variable),
        accum=_handle(velocity),
        lr=rate,
        grad=gradient,
        momentum=tf.constant(momentum, gradient.dtype),
        use_nesterov=nesterov,
    )


def subtract_scaled(variable: Any, scale: Any, change: Any) -> None:
    """Computes `variable = variable - scale * change`."""
    import tensorflow as tf

    tf.raw_ops.ResourceApplyGradientDescent(var=_handle(variable), alpha=scale, delta=change)


def copy_if(condition: Any, targets: Sequence[Any], sources: Sequence[Any]) -> None:
    """Gives each target the value of its source where a condition holds.

    `tf.cond` would be lowered to an operation for each variable, which every step pays for.

    Args:
        condition: A boolean scalar.
        targets: Variables.
        sources: As many, of the same shapes and dtypes.
    """
    import tensorflow as tf

    dtypes = [tf.as_dtype(each.dtype) for each in targets]

    def copy(*handles: Any) -> None:
        pairs = zip(handles[: len(dtypes)], handles[len(dtypes) :], dtypes, strict=True)
        for target, source, dtype in pairs:
            value = tf.raw_ops.ReadVariableOp(resource=source, dtype=dtype)
            tf.raw_ops.AssignVariableOp(resource=target, value=value)

    def nothing(*handles: Any) -> None: ...

    handles = [_handle(each) for each in (*targets, *sources)]
    if tf.executing_eagerly():
        (copy if condition else nothing)(*handles)
        return
    then, otherwise = (
        tf.function(branch, autograph=False).get_concrete_function(*handles)
        for branch in (copy, nothing)
    )
    tf.raw_ops.If(cond=condition, input=handles, Tout=[], then_branch=then, else_branch=otherwise)


def _handle(variable: Any) -> Any:
    """Returns what a kernel takes; within a strategy's replica, that of its own copy."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
