"""A training step or inference as XLA's program: its operations' kinds and what they need."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras

from profiling.costs import Costs, no_costs
from profiling.hlo import Program
from profiling.kinds import BY_INPUT, BY_KERNEL, FORWARD, OTHER, kind_of, named_kinds


class JaxProgram:
    """A function of a network on one batch, compiled with the kinds of its operations.

    Args:
        model: The network.
        function: `(state, data)` to `(result, state)`: jitted with its state donated.
        state: The first argument.
        data: The second.
    """

    def __init__(
        self, model: keras.Model, function: Callable[[Any, Any], Any], state: Any, data: Any
    ) -> None:
        import jax

        self._state, self._data = jax.device_put((state, data), may_alias=False)
        with named_kinds(model):
            traced = jax.jit(function, donate_argnums=0).trace(self._state, self._data)
        self._jaxpr = traced.jaxpr
        self._compiled = traced.lower().compile()
        self._program = Program(self._compiled.as_text() or "")

    def step(self) -> None:
        import jax

        result, self._state = self._compiled(self._state, self._data)
        jax.block_until_ready((result, self._state))

    def kinds(self, event: str) -> dict[str, float]:
        """Returns the kinds of an operation that ran, and their fractions of it."""
        return self._program.kinds(event)

    def costs(self) -> Costs:
        """Returns the arithmetic of the step as traced, and the bytes of the compiled program.

        XLA may compute more than was asked for, which a bound must not allow for.
        """
        costs = no_costs()
        for kind, flops in _products(self._jaxpr, ""):
            costs[kind].flops += flops
        for name in self._program.entry():
            size = self._program.accessed_bytes(name)
            for kind, fraction in self._program.kinds(name).items() if size else ():
                costs[kind].accessed_bytes += size * fraction
                costs[kind].operations += 1
        return costs


def _products(jaxpr: Any, outer: str) -> Iterator[tuple[str, float]]:
    """Yields kind and operations of each convolution, or part of one, and matrix product."""
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        scopes = f"{outer}/{equation.source_info.name_stack}"
        for value in equation.params.values():
            if hasattr(value, "eqns") or hasattr(value, "jaxpr"):
                yield from _products(value, scopes)
        name = equation.primitive.name
        kind = kind_of(scopes) or OTHER
        if name == "mul" and kind in (FORWARD, BY_INPUT):
            # On a CPU, a product for each pixel of the window, and a sum.
            yield kind, 2.0 * math.prod(equation.outvars[0].aval.shape)
        if name not in ("conv_general_dilated", "dot_general"):
            continue
        first, second = (each.aval.shape for each in equation.invars[:2])
        result, params = equation.outvars[0].aval.shape, equation.params
        if name == "dot_general":
            ((contracted, _), _) = params["dimension_numbers"]
            yield kind, 2.0 * math.prod(result) * math.prod(first[axis] for axis in contracted)
            continue
        if kind == FORWARD and "transpose(" in scopes:
            kind = BY_INPUT if params["feature_group_count"] > 1 else BY_KERNEL
        filters, channels = (second[axis] for axis in params["dimension_numbers"].rhs_spec[:2])
        if set(params["lhs_dilation"]) == {1}:
            yield kind, 2.0 * math.prod(result) * math.prod(second) / filters
        else:
            # Of the pixels between those of the image there is nothing to multiply.
            channels *= params["feature_group_count"]
            yield kind, 2.0 * math.prod(first) * math.prod(second) / channels
