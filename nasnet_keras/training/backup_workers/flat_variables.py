"""Many variables as one array, which travels as one object."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

_SEED_NAME = "seed_generator_state"
# Far apart, so that two shares' random numbers are not those of neighbouring seeds.
_BETWEEN_SHARES = 1_000_003


class FlatVariables:
    """The layout of some variables in one array.

    Args:
        variables: Variables of known shapes; their values are not read.
        dtype: Of the array.
    """

    def __init__(self, variables: Sequence[Any], dtype: str) -> None:
        self.variables = list(variables)
        self.dtype = dtype
        self._shapes = [tuple(variable.shape) for variable in variables]
        self._dtypes = [keras.backend.standardize_dtype(variable.dtype) for variable in variables]
        sizes = [math.prod(shape) for shape in self._shapes]
        self._ends = [0, *itertools.accumulate(sizes)]

    def __len__(self) -> int:
        """Returns the length of the array."""
        return self._ends[-1]

    def join(self, values: Sequence[Any]) -> Any:
        """Returns values of the variables as one array."""
        flat = [ops.reshape(ops.cast(value, self.dtype), (-1,)) for value in values]
        return ops.concatenate(flat) if flat else ops.zeros((0,), self.dtype)

    def split(self, array: Any) -> list[Any]:
        """Returns the values of the variables, of their own shapes and types."""
        parts = zip(itertools.pairwise(self._ends), self._shapes, self._dtypes, strict=True)
        return [
            ops.cast(ops.reshape(array[first:end], shape), dtype)
            for (first, end), shape, dtype in parts
        ]


class NetworkLayout:
    """The variables of a network as they travel.

    Args:
        model: The network.
        integer_type: What the backend holds `integers` in.

    Attributes:
        trained: The trained weights.
        statistics: BN's statistics, and the weights that are not trained.
        integers: Counters and the states of random generators.
        floats: `trained` and `statistics`.
    """

    def __init__(self, model: keras.Model, integer_type: str) -> None:
        self._others = [_is_float(variable) for variable in model.non_trainable_variables]
        statistics, integers = self.divide(model.non_trainable_variables)
        self.trained = FlatVariables(model.trainable_variables, "float32")
        self.statistics = FlatVariables(statistics, "float32")
        self.floats = FlatVariables([*model.trainable_variables, *statistics], "float32")
        self.integers = FlatVariables(integers, integer_type)

    def divide(self, others: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Returns the statistics and the integers of what belongs to all untrained variables."""
        pairs = list(zip(self._others, others, strict=True))
        return [each for is_float, each in pairs if is_float], [
            each for is_float, each in pairs if not is_float
        ]

    def merge(self, statistics: Sequence[Any], integers: Sequence[Any]) -> list[Any]:
        """Returns what `divide` has divided, in the order of the untrained variables."""
        sources = {True: iter(statistics), False: iter(integers)}
        return [next(sources[is_float]) for is_float in self._others]

    def seeds(self) -> np.ndarray:
        """Returns where in `integers` the seed of a random generator stands, boolean."""
        found = np.zeros(len(self.integers), bool)
        ends = self.integers._ends
        for variable, first in zip(self.integers.variables, ends, strict=False):
            found[first] = found[first] | (variable.name == _SEED_NAME)
        return found


def shifted_seeds(integers: np.ndarray, seeds: np.ndarray, share: int) -> np.ndarray:
    """Returns integers with which a share draws random numbers of its own.

    Args:
        integers: `NetworkState.integers`.
        seeds: See `NetworkLayout.seeds`.
        share: Its number; 0 draws those of a training without shares.
    """
    return integers + seeds.astype(np.uint32) * np.uint32(share * _BETWEEN_SHARES % 2**32)


def _is_float(variable: Any) -> bool:
    return "float" in keras.backend.standardize_dtype(variable.dtype)
