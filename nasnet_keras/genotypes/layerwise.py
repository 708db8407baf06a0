"""A network described layer by layer (Zoph and Le 2017, sections 3.1 and 3.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from nasnet_keras.genotypes.network_genotype import NetworkGenotype
from nasnet_keras.settings import Count, check_most, check_value
from nasnet_keras.text.plain_text import shown
from nasnet_keras.text.suggestions import unknown_name

MOST_LAYERS = 100
"""Layers of a network; the paper's have up to 39."""

# Pixels of a window's side and of a stride; the paper's go up to 7 and 3.
_MOST_PIXELS = 64
_MOST_FILTERS = 8_192


@dataclass(frozen=True)
class ConvolutionLayer:
    """A convolution, BN and ReLU.

    Attributes:
        filter_height: Height of the window, in pixels.
        filter_width: Width of the window, in pixels.
        stride_height: Stride along the height.
        stride_width: Stride along the width.
        filters: Number of filters.
        inputs: Earlier layers that it reads, concatenated along the channels (smaller ones padded
            with zeros); if empty, the image.
    """

    kind: ClassVar[str] = "convolution"
    most: ClassVar[dict[str, int]] = {
        "filter_height": _MOST_PIXELS,
        "filter_width": _MOST_PIXELS,
        "stride_height": _MOST_PIXELS,
        "stride_width": _MOST_PIXELS,
        "filters": _MOST_FILTERS,
    }

    filter_height: int
    filter_width: int
    stride_height: int
    stride_width: int
    filters: int
    inputs: tuple[int, ...] = ()

    @property
    def window(self) -> tuple[int, int]:
        """Height and width of the window."""
        return self.filter_height, self.filter_width

    @property
    def strides(self) -> tuple[int, int]:
        """Strides along height and width."""
        return self.stride_height, self.stride_width


@dataclass(frozen=True)
class MaxPoolLayer:
    """A maximum pool.

    Attributes:
        size: Side of its window, which is its stride too, in pixels. The paper does not give it.
        inputs: As a convolution's.
    """

    kind: ClassVar[str] = "max_pool"
    most: ClassVar[dict[str, int]] = {"size": _MOST_PIXELS}

    size: int = 2
    inputs: tuple[int, ...] = ()

    @property
    def window(self) -> tuple[int, int]:
        """Height and width of the window."""
        return self.size, self.size

    @property
    def strides(self) -> tuple[int, int]:
        """Strides along height and width."""
        return self.window


Layer: TypeAlias = ConvolutionLayer | MaxPoolLayer
_KINDS: dict[str, type[Layer]] = {each.kind: each for each in (ConvolutionLayer, MaxPoolLayer)}


@dataclass(frozen=True)
class LayerwiseGenotype(NetworkGenotype):
    """A network described layer by layer.

    The paper's on CIFAR-10 (table 1), which its search found: v1, 15 layers with neither strides
    nor pools, 4.2M parameters, 5.50 % test error; v2, 20 layers with predicted strides, 2.5M,
    6.01 %; v3, 39 layers with pools at layers 13 and 24, 7.1M, 4.47 %, and with 40 more filters in
    each layer 37.4M, 3.65 %. It shows the layers of v1 only.

    Attributes:
        name: A short name, used in messages and files.
        layers: The layers; each reads earlier ones only. Unread ones are concatenated, as a layer's
            inputs are, before the classifier.

    Raises:
        ValueError: There are no layers, or more than `MOST_LAYERS`; a layer reads itself, a later
            layer or one twice; or a number is below 1 or too large. The message names the layer.
    """

    json_format = "nasnet_keras.layerwise_genotype"
    json_keys = ("num_layers", "layers")

    name: str
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            raise ValueError(f"genotype {self.name!r} has no layers")
        check_most(f"genotype {self.name!r}: the number of layers", len(self.layers), MOST_LAYERS)
        layers = tuple(_checked(i, layer) for i, layer in enumerate(self.layers))
        object.__setattr__(self, "layers", layers)

    @property
    def outputs(self) -> tuple[int, ...]:
        """The layers that no layer reads."""
        read = {i for layer in self.layers for i in layer.inputs}
        return tuple(i for i in range(len(self.layers)) if i not in read)

    @property
    def keeps_resolution(self) -> bool:
        """Whether all layers have the image's height and width."""
        return all(layer.strides == (1, 1) for layer in self.layers)

    def _parts(self) -> dict[str, Any]:
        layers = []
        for layer in self.layers:
            values = dataclasses.asdict(layer)
            layers.append({"kind": layer.kind, **values, "inputs": list(layer.inputs)})
        return {"num_layers": len(layers), "layers": layers}

    @classmethod
    def _from_parts(cls, name: str, data: Mapping[str, Any]) -> LayerwiseGenotype:
        entries = data.get("layers")
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise ValueError(f"genotype {name!r} needs a list 'layers'")
        expected = data.get("num_layers", len(entries))
        if expected != len(entries):
            raise ValueError(
                f"num_layers is {shown(expected)}, but {len(entries)} layers are listed"
            )
        return cls(name, tuple(_layer_from_dict(i, entry) for i, entry in enumerate(entries)))


def _checked(index: int, layer: Layer) -> Layer:
    """Returns a layer with its inputs in order.

    Raises:
        ValueError: It cannot be at this place of a network, or a number is out of range.
    """
    if not isinstance(layer, Layer):
        raise ValueError(f"layer {index} is a layer of some kind, got {shown(layer)}")
    for field, most in layer.most.items():
        check_value(f"layer {index}: {field}", Count, getattr(layer, field))
        check_most(f"layer {index}: {field}", getattr(layer, field), most)
    for i in layer.inputs:
        if isinstance(i, bool) or not isinstance(i, int) or not 0 <= i < index:
            allowed = f"layers 0 to {index - 1}" if index else "the image"
            raise ValueError(f"layer {index} reads layer {shown(i)}, but can read {allowed} only")
    if len(set(layer.inputs)) != len(layer.inputs):
        raise ValueError(f"layer {index} reads a layer twice: {shown(list(layer.inputs))}")
    return dataclasses.replace(layer, inputs=tuple(sorted(layer.inputs)))


def _layer_from_dict(index: int, entry: Any) -> Layer:
    if not isinstance(entry, Mapping):
        raise ValueError(f"layer {index} is a JSON object, got {shown(entry)}")
    values = dict(entry)
    kind = values.pop("kind", ConvolutionLayer.kind)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"layer {index}: {unknown_name('kind', kind, _KINDS)}")
    fields = dataclasses.fields(_KINDS[kind])
    for key in values:
        if key not in (field.name for field in fields):
            names = [field.name for field in fields]
            raise ValueError(f"layer {index}: {unknown_name(f'setting of a {kind}', key, names)}")
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in values:
            raise ValueError(f"layer {index}: {field.name!r} is missing")
    inputs = values.get("inputs", ())
    if not isinstance(inputs, Sequence) or isinstance(inputs, str):
        raise ValueError(f"layer {index}: inputs is a list of layers, got {shown(inputs)}")
    return _KINDS[kind](**{**values, "inputs": tuple(inputs)})
