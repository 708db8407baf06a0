"""The space of layer-by-layer NAS: a chain with skip connections (Zoph and Le 2017, 3.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nasnet_keras.genotypes import (
    MOST_LAYERS,
    ConvolutionLayer,
    Layer,
    LayerwiseGenotype,
    MaxPoolLayer,
)
from nasnet_keras.search.spaces.canonical import canonical_order
from nasnet_keras.search.spaces.space import Architecture, Decision, Space
from nasnet_keras.settings import Count, check_most, check_value

_FILTER_SIZES = (1, 3, 5, 7)
_STRIDES = (1, 2, 3)
_FILTERS = (24, 36, 48, 64)
_KIND = ConvolutionLayer.kind


class LayerwiseSpace(Space):
    """Filter sizes, strides, filter counts and skip connections of every layer.

    A layer is decided in the order filter height and width, stride height and width, filters, then
    one yes or no for each earlier layer (its anchor point), nearest last. Layer i has `5 + i`
    decisions, or `3 + i` where strides are fixed, or `i` where it is a pool. Every layer has an
    effect: an unread one feeds the classifier. Decoded architectures are genotypes, for
    `build_network` and `create_model`.

    The paper grows its networks during a search: `max_layers=20` lets every 1,600 proposals have
    two layers more. `count` and `decisions` are then those of the deepest.

    Args:
        num_layers: Depth; the paper starts at 6.
        strides: Whether strides are searched, over 1, 2, 3; else all are 1.
        max_layers: Depth at which growth ends. Default: that at the start, so that there is none.
        layers_added: Layers of a growth.
        grow_every: Proposals from one growth to the next.
        filters: Numbers of filters to choose from; 6, 12, 24, 36 for the paper's v3.
        pool_layers: Which layers are maximum pools of 2x2 pixels, from 1 on; they decide only what
            they read. The paper's v3 has two.
        filter_sizes: Heights, and widths, of windows to choose from, in pixels.

    Raises:
        ValueError: A value is out of range.
    """

    def __init__(
        self,
        num_layers: int = 6,
        strides: bool = False,
        max_layers: int | None = None,
        layers_added: int = 2,
        grow_every: int = 1600,
        filters: Sequence[int] = _FILTERS,
        pool_layers: Sequence[int] = (),
        filter_sizes: Sequence[int] = _FILTER_SIZES,
    ) -> None:
        self.max_layers = num_layers if max_layers is None else max_layers
        counts = {
            "num_layers": num_layers,
            "max_layers": self.max_layers,
            "layers_added": layers_added,
            "grow_every": grow_every,
        }
        for name, value in counts.items():
            check_value(name, Count, value)
        for name in ("num_layers", "max_layers"):
            check_most(name, counts[name], MOST_LAYERS)
        if self.max_layers < num_layers:
            raise ValueError(f"max_layers={max_layers} is below num_layers={num_layers}")
        # Lists, where they come from a file or a flag.
        filters, pool_layers, filter_sizes = (
            tuple(values) if isinstance(values, list) else values
            for values in (filters, pool_layers, filter_sizes)
        )
        check_value("filters", tuple[Count, ...], filters)
        check_value("pool_layers", tuple[Count, ...], pool_layers)
        check_value("filter_sizes", tuple[Count, ...], filter_sizes)
        if pool_layers and max(pool_layers) >= self.max_layers:
            raise ValueError(
                f"pool_layers has {max(pool_layers)}, but the last layer is {self.max_layers - 1}"
            )
        self.num_layers = num_layers
        self.strides = bool(strides)
        self.layers_added = layers_added
        self.grow_every = grow_every
        self.filters = filters
        self.pool_layers = tuple(sorted(pool_layers))
        self.filter_sizes = filter_sizes
        choices = {
            **dict.fromkeys(("filter_height", "filter_width"), self.filter_sizes),
            **dict.fromkeys(("stride_height", "stride_width"), _STRIDES),
            "filters": self.filters,
        }
        self._choices = {
            field: values if self.strides or not field.startswith("stride") else (1,)
            for field, values in choices.items()
        }
        self._fields = [f for f in choices if self.strides or not f.startswith("stride")]
        decisions: list[Decision] = []
        # How many decisions there are up to each layer's end.
        self._ends: list[int] = []
        for index in range(self.max_layers):
            for field in () if index in self.pool_layers else self._fields:
                decisions.append(Decision(f"layer_{index}/{field}", field, self._choices[field]))
            for earlier in range(index):
                name = f"layer_{index}/reads_layer_{earlier}"
                decisions.append(
                    Decision(name, "skip", (False, True), anchor=self._ends[earlier] - 1)
                )
            self._ends.append(len(decisions))
        super().__init__("layerwise", decisions)

    def config(self) -> dict[str, Any]:
        config = {"space": self.name, "num_layers": self.num_layers, "strides": self.strides}
        if self.max_layers != self.num_layers:
            growth = ("max_layers", "layers_added", "grow_every")
            config |= {name: getattr(self, name) for name in growth}
        if self.filters != _FILTERS:
            config["filters"] = list(self.filters)
        if self.pool_layers:
            config["pool_layers"] = list(self.pool_layers)
        if self.filter_sizes != _FILTER_SIZES:
            config["filter_sizes"] = list(self.filter_sizes)
        return config

    def num_decisions(self, number: int) -> int:
        grown = self.num_layers + self.layers_added * (number // self.grow_every)
        return self._ends[min(grown, self.max_layers) - 1]

    def check(self, architecture: Sequence[int]) -> Architecture:
        if self.max_layers == self.num_layers:
            return super().check(architecture)
        values = self._as_tuple(architecture)
        if len(values) not in self._ends[self.num_layers - 1 :]:
            raise ValueError(
                f"an architecture of space {self.name!r} has the decisions of {self.num_layers} "
                f"to {self.max_layers} whole layers, got {len(values)} decisions"
            )
        return self._check_choices(values)

    def decode(self, architecture: Sequence[int]) -> LayerwiseGenotype:
        """Returns the genotype, named after its canonical form.

        Raises:
            ValueError: It is not an architecture of this space.
        """
        digest = hashlib.sha256(self.key(architecture).encode()).hexdigest()
        return LayerwiseGenotype(f"{self.name}_{digest[:10]}", self._layers(architecture))

    def encode(self, description: LayerwiseGenotype) -> Architecture:
        """Returns the decisions of a network; its name is not kept.

        Raises:
            ValueError: The depth differs, a pool is at another depth, or a value is not a choice;
                the message names the layer.
        """
        return self._encode(description.layers)

    def canonical(self, architecture: Sequence[int]) -> Architecture:
        values = self.check(architecture)
        if self.pool_layers:
            # A pool keeps its depth, so that layers cannot change places freely.
            return values
        layers = [layer for layer in self._layers(values) if isinstance(layer, ConvolutionLayer)]
        # Source 0 is the image, which a layer without inputs reads.
        nodes = [
            (
                tuple(getattr(layer, field) for field in self._choices),
                [(i + 1, 0) for i in layer.inputs] or [(0, 0)],
            )
            for layer in layers
        ]
        order = canonical_order(nodes, 1)
        moved = {old: new for new, old in enumerate(order)}
        return self._encode(
            [
                replace(layers[old], inputs=tuple(sorted(moved[i] for i in layers[old].inputs)))
                for old in order
            ]
        )

    def _layers(self, architecture: Sequence[int]) -> tuple[Layer, ...]:
        values = self.check(architecture)
        choices = [d.choices[v] for d, v in zip(self.decisions, values, strict=False)]
        layers: list[Layer] = []
        for index in range(self._ends.index(len(values)) + 1):
            end = self._ends[index]
            start = self._ends[index - 1] if index else 0
            inputs = tuple(j for j in range(index) if choices[end - index + j])
            if index in self.pool_layers:
                layers.append(MaxPoolLayer(inputs=inputs))
                continue
            settings = {field: values[0] for field, values in self._choices.items()}
            settings |= dict(zip(self._fields, choices[start : end - index], strict=True))
            layers.append(ConvolutionLayer(**settings, inputs=inputs))
        return tuple(layers)

    def _encode(self, layers: Sequence[Layer]) -> Architecture:
        if not self.num_layers <= len(layers) <= self.max_layers:
            allowed = " to ".join(map(str, sorted({self.num_layers, self.max_layers})))
            raise ValueError(f"networks of this space have {allowed} layers, got {len(layers)}")
        values: list[int] = []
        for index, layer in enumerate(layers):
            is_pool = index in self.pool_layers
            if layer != MaxPoolLayer(inputs=layer.inputs) if is_pool else layer.kind != _KIND:
                expected = "max_pool of size 2" if is_pool else _KIND
                raise ValueError(f"layer {index} is a {expected} in this space, got {layer}")
            for field in () if is_pool else self._choices:
                value, allowed = getattr(layer, field), self._choices[field]
                if value not in allowed:
                    raise ValueError(
                        f"layer {index}: {field} is one of {list(allowed)}, got {value!r}"
                    )
                if field in self._fields:
                    values.append(allowed.index(value))
            values += [int(j in layer.inputs) for j in range(index)]
        return tuple(values)
