"""What every format's quantization can do, and its layers by kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Kind = Literal["first", "depthwise", "convolution", "classifier"]
Run = Callable[[np.ndarray], np.ndarray]
"""From preprocessed images, float32 `(batch, size, size, 3)`, to logits `(batch, classes)`."""


@dataclass(frozen=True)
class Layer:
    """A layer with weights.

    Attributes:
        name: Its name in the file.
        kind: What it is: the first of all, the last, or in between.
    """

    name: str
    kind: Kind


def layers_in_order(names: Sequence[str], depthwise: Collection[str]) -> list[Layer]:
    """Returns layers by kind.

    Args:
        names: Names of the layers with weights, in the order of computation.
        depthwise: Those that are depthwise convolutions.
    """
    last = len(names) - 1

    def kind(place: int, name: str) -> Kind:
        if place in (0, last):
            return "classifier" if place else "first"
        return "depthwise" if name in depthwise else "convolution"

    return [Layer(name, kind(place, name)) for place, name in enumerate(names)]


class Quantizer(ABC):
    """A network in one format, and how that is quantized.

    Attributes:
        layers: The layers that may be kept in float, in the order of computation.
        model: The network in float.
    """

    layers: Sequence[Layer]
    model: Any

    @abstractmethod
    def quantize(self, kept: Collection[str]) -> Any:
        """Returns the network in 8 bits.

        Args:
            kept: Names of layers to keep in float.
        """

    @abstractmethod
    def errors(self) -> Mapping[str, float]:
        """Returns how much each layer loses to 8 bits, by its name; comparable among layers."""

    @abstractmethod
    def runner(self, model: Any) -> Run:
        """Returns a function that runs a network of this format."""


def answer_name(outputs: Sequence[str]) -> str:
    """Returns which output has the classes: the logits, or else the first."""
    return "logits" if "logits" in outputs else outputs[0]
