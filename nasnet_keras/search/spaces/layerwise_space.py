"""The space of layer-by-layer NAS: a chain with skip connections (Zoph and Le 2017, 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from nasnet_keras.genotypes import MOST_BLOCKS
from nasnet_keras.search.spaces.canonical import canonical_order
from nasnet_keras.search.spaces.space import Architecture, Decision, Space
from nasnet_keras.settings import Count, check_most, check_value

_CHOICES: dict[str, tuple[int, ...]] = {
    "filter_height": (1, 3, 5, 7),
    "filter_width": (1, 3, 5, 7),
    "stride_height": (1, 2, 3),
    "stride_width": (1, 2, 3),
    "filters": (24, 36, 48, 64),
}


@dataclass(frozen=True)
class ConvolutionLayer:
    """One convolution of a layer-wise network.

    Attributes:
        filter_height: Height of the window, in pixels.
        filter_width: Width of the window, in pixels.
        stride_height: Stride along the height.
        stride_width: Stride along the width.
        filters: Number of filters.
        inputs: Earlier layers that it reads, concatenated along the channels (smaller ones padded
            with zeros); if empty, the image.
    """

    filter_height: int
    filter_width: int
    stride_height: int
    stride_width: int
    filters: int
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class LayerwiseNetwork:
    """A network described layer by layer.

    Attributes:
        layers: The convolutions; each reads earlier ones only. Unread ones are concatenated before
            the classifier.
    """

    layers: tuple[ConvolutionLayer, ...]

    @property
    def outputs(self) -> tuple[int, ...]:
        """The layers that no layer reads."""
        read = {i for layer in self.layers for i in layer.inputs}
        return tuple(i for i in range(len(self.layers)) if i not in read)


class LayerwiseSpace(Space):
    """Filter sizes, strides, filter counts and skip connections of every layer.

    A layer is decided in the order filter height and width, stride height and width, filters, then
    one yes or no for each earlier layer (its anchor point), nearest last. Layer i has `5 + i`
    decisions, or `3 + i` where strides are fixed. Every layer has an effect: an unread one
    feeds the classifier.

    Decoded architectures are descriptions (`LayerwiseNetwork`), which nothing builds yet.

    Args:
        num_layers: Depth; the paper starts at 6 and adds 2 every 1,600 samples.
        strides: Whether strides are searched, over 1, 2, 3; else all are 1.

    Raises:
        ValueError: `num_layers` is below 1.
    """

    def __init__(self, num_layers: int = 6, strides: bool = False) -> None:
        check_value("num_layers", Count, num_layers)
        check_most("num_layers", num_layers, MOST_BLOCKS)
        self.num_layers = num_layers
        self.strides = bool(strides)
        self._fields = [f for f in _CHOICES if self.strides or not f.startswith("stride")]
        decisions: list[Decision] = []
        ends: list[int] = []
        for index in range(num_layers):
            for field in self._fields:
                decisions.append(Decision(f"layer_{index}/{field}", field, _CHOICES[field]))
            for earlier in range(index):
                name = f"layer_{index}/reads_layer_{earlier}"
                decisions.append(Decision(name, "skip", (False, True), anchor=ends[earlier]))
            ends.append(len(decisions) - 1)
        super().__init__("layerwise", decisions)

    def config(self) -> dict[str, Any]:
        return {"space": self.name, "num_layers": self.num_layers, "strides": self.strides}

    def decode(self, architecture: Sequence[int]) -> LayerwiseNetwork:
        """Returns the network's description.

        Raises:
            ValueError: It is not an architecture of this space.
        """
        values = self.check(architecture)
        choices = [d.choices[v] for d, v in zip(self.decisions, values, strict=True)]
        layers = []
        start = 0
        for index in range(self.num_layers):
            end = start + len(self._fields)
            settings = {"stride_height": 1, "stride_width": 1}
            settings |= dict(zip(self._fields, choices[start:end], strict=True))
            inputs = tuple(j for j in range(index) if choices[end + j])
            layers.append(ConvolutionLayer(**settings, inputs=inputs))
            start = end + index
        return LayerwiseNetwork(tuple(layers))

    def encode(self, description: LayerwiseNetwork) -> Architecture:
        """Returns the decisions of a network.

        Raises:
            ValueError: The depth differs, a layer reads itself or a later one, or a value is not a
                choice; the message names the layer.
        """
        if len(description.layers) != self.num_layers:
            raise ValueError(
                f"networks of this space have {self.num_layers} layers, got "
                f"{len(description.layers)}"
            )
        values: list[int] = []
        for index, layer in enumerate(description.layers):
            if any(not 0 <= i < index for i in layer.inputs):
                raise ValueError(
                    f"layer {index} reads {list(layer.inputs)}, but can only read earlier layers"
                )
            for field in _CHOICES:
                value = getattr(layer, field)
                allowed = _CHOICES[field] if field in self._fields else (1,)
                if value not in allowed:
                    raise ValueError(
                        f"layer {index}: {field} is one of {list(allowed)}, got {value!r}"
                    )
                if field in self._fields:
                    values.append(allowed.index(value))
            values += [int(j in layer.inputs) for j in range(index)]
        return tuple(values)

    def canonical(self, architecture: Sequence[int]) -> Architecture:
        layers = self.decode(architecture).layers
        # Source 0 is the image, which a layer without inputs reads.
        nodes = [
            (
                tuple(getattr(layer, field) for field in _CHOICES),
                [(i + 1, 0) for i in layer.inputs] or [(0, 0)],
            )
            for layer in layers
        ]
        order = canonical_order(nodes, 1)
        moved = {old: new for new, old in enumerate(order)}
        reordered = (
            replace(layers[old], inputs=tuple(sorted(moved[i] for i in layers[old].inputs)))
            for old in order
        )
        return self.encode(LayerwiseNetwork(tuple(reordered)))
