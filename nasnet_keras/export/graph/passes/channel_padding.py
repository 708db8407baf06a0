"""Widens convolutions to a multiple of channels, for kernels that compute in blocks of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from nasnet_keras.export.graph.nodes import (
    Add,
    Affine,
    Array,
    Channels,
    Concatenate,
    Convolution,
    Dense,
    Depthwise,
    Graph,
    Input,
    InstanceNorm,
    LayerNorm,
    Node,
    Reshape,
    Softmax,
)
from nasnet_keras.export.graph.shapes import shapes

_WANTS_NO_PADDING = (LayerNorm, Reshape, Softmax)


def pad_channels(graph: Graph, multiple: int) -> Graph:
    """Returns the graph with each convolution's filters padded to a multiple.

    The new channels are zero, and what reads them has zeros for weights. Where they would be in the
    way (the graph's outputs, a layer normalization, a sum with an image padded otherwise) they are
    left out again.

    Args:
        graph: The graph.
        multiple: Of channels, e.g. 16.
    """
    return _ChannelPadding(graph, multiple).result()


class _ChannelPadding:
    """The walk over a graph.

    `layouts` has for each node so far the former channel that each of its channels is, -1 where it
    is padding.
    """

    def __init__(self, graph: Graph, multiple: int) -> None:
        self.graph = graph
        self.multiple = multiple
        self.former = graph.by_name()
        self.readers = graph.readers()
        self.widths = {name: shape[-1] or 0 for name, shape in shapes(graph).items()}
        self.layouts: dict[str, Array] = {}
        self.nodes: list[Node] = []
        self.unpadded: dict[str, str] = {}

    def result(self) -> Graph:
        for node in self.graph.nodes:
            node, layout = self._padded(node)
            self.nodes.append(node)
            self.layouts[node.name] = layout
        outputs = {key: self._without_padding(x) for key, x in self.graph.outputs.items()}
        return self.graph.replace(self.nodes, outputs)

    def _padded(self, node: Node) -> tuple[Node, Array]:
        """Returns the node for its padded inputs, and its layout."""
        if isinstance(node, Input):
            return node, np.arange(self.widths[node.name])
        layouts = [self.layouts[name] for name in node.inputs]
        layout = layouts[0]
        match node:
            case Convolution():
                node = dataclasses.replace(node, kernel=_laid_out(node.kernel, layout, axis=2))
                return self._widened(node)
            case Dense():
                node = dataclasses.replace(node, kernel=_laid_out(node.kernel, layout, axis=-2))
                return node, np.arange(self.widths[node.name])
            case Depthwise():
                bias = None if node.bias is None else _laid_out(node.bias, layout)
                kernel = _laid_out(node.kernel, layout)
                return dataclasses.replace(node, kernel=kernel, bias=bias), layout
            case Affine() | InstanceNorm():
                offset = None if node.offset is None else _laid_out(node.offset, layout)
                scale = _laid_out(node.scale, layout)
                return dataclasses.replace(node, scale=scale, offset=offset), layout
            case Add() if not np.array_equal(layout, layouts[1]):
                return self._on_former_channels(node)
            case Concatenate():
                return node, self._concatenated(node.inputs)
            case Channels():
                return _cut(node, layout)
            case _ if isinstance(node, _WANTS_NO_PADDING):
                return self._on_former_channels(node)
            case _:
                return node, layout

    def _widened(self, node: Convolution) -> tuple[Convolution, Array]:
        """Returns a convolution with more filters, unless its result is wanted as it is."""
        layout = np.arange(node.kernel.shape[-1])
        as_it_is = node.name in self.graph.outputs.values() or any(
            isinstance(reader, _WANTS_NO_PADDING) for reader in self.readers[node.name]
        )
        if not as_it_is:
            layout = np.concatenate([layout, np.full(self._missing(node), -1)])
        bias = None if node.bias is None else _laid_out(node.bias, layout)
        return dataclasses.replace(node, kernel=_laid_out(node.kernel, layout), bias=bias), layout

    def _missing(self, node: Convolution) -> int:
        """Returns how many channels a convolution gets.

        The paths of a factorized reduction get them together, at the end, so that the result adds
        up with others of its width.
        """
        readers = self.readers[node.name]
        if len(readers) == 1 and isinstance(readers[0], Concatenate):
            whole = readers[0]
            paths = [self.former[name] for name in whole.inputs]
            if all(isinstance(x, Convolution) and len(self.readers[x.name]) == 1 for x in paths):
                is_last = node.name == whole.inputs[-1]
                return -self.widths[whole.name] % self.multiple if is_last else 0
        return -node.kernel.shape[-1] % self.multiple

    def _concatenated(self, names: Iterable[str]) -> Array:
        parts, start = [], 0
        for name in names:
            layout = self.layouts[name]
            parts.append(np.where(layout < 0, -1, layout + start))
            start += self.widths[name]
        return np.concatenate(parts)

    def _on_former_channels(self, node: Node) -> tuple[Node, Array]:
        inputs = tuple(map(self._without_padding, node.inputs))
        return dataclasses.replace(node, inputs=inputs), np.arange(self.widths[node.name])

    def _without_padding(self, name: str) -> str:
        """Returns the node that has another's former channels, and adds it where it is not yet."""
        layout = self.layouts[name]
        if name in self.unpadded or np.all(layout >= 0):
            return self.unpadded.get(name, name)
        kept = np.flatnonzero(layout >= 0)
        parts = []
        for run in np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1):
            span = {"start": int(run[0]), "stop": int(run[-1]) + 1}
            part = Channels(name=f"{name}/channels_{run[0]}", inputs=(name,), **span)
            parts.append(part)
        self.nodes += parts
        self.unpadded[name] = parts[0].name
        if len(parts) > 1:
            whole = Concatenate(name=f"{name}/unpadded", inputs=tuple(x.name for x in parts))
            self.nodes.append(whole)
            self.unpadded[name] = whole.name
        return self.unpadded[name]


def _laid_out(weights: Array, layout: Array, axis: int = -1) -> Array:
    """Returns weights in the order of a layout, zeros where it is padding."""
    moved = np.moveaxis(np.asarray(weights), axis, -1)
    result = np.where(layout < 0, 0.0, moved[..., layout])
    return np.ascontiguousarray(np.moveaxis(result, -1, axis))


def _cut(node: Channels, layout: Array) -> tuple[Channels, Array]:
    """Returns the channels of a padded image, with the padding behind them, and their layout."""
    start = int(np.flatnonzero(layout == node.start)[0])
    after = np.flatnonzero(layout == node.stop)
    stop = int(after[0]) if after.size else len(layout)
    cut = layout[start:stop]
    former = np.where(cut < 0, -1, cut - node.start)
    return dataclasses.replace(node, start=start, stop=stop), former
