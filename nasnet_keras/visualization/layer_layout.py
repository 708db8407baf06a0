"""The layout of a drawing of a layer-wise network: a column, with skip connections beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nasnet_keras.genotypes import ConvolutionLayer, Layer, LayerwiseGenotype
from nasnet_keras.visualization.cell_layout import Box, CellLayout, place_boxes
from nasnet_keras.visualization.layered_layout import Edge, Layout

# Points between neighbouring lanes.
_LANE = 9.0

_IMAGE, _CLASSIFIER = "image", "classifier"


def layer_text(layer: Layer) -> tuple[str, ...]:
    """Returns the text of a layer's box: height and width of the window, filters, strides."""
    window = "x".join(map(str, layer.window))
    if not isinstance(layer, ConvolutionLayer):
        return (f"max {window}",)
    text = f"{window}, {layer.filters}"
    if layer.strides == (1, 1):
        return (text,)
    return text, f"stride {'x'.join(map(str, layer.strides))}"


def place_layers(genotype: LayerwiseGenotype) -> CellLayout:
    """Places the image, the layers and the classifier one over the other, the image at the bottom.

    What a layer passes on beyond the next goes up in a lane of its own beside the column.
    """
    boxes = [Box(_IMAGE, "input", (_IMAGE,))]
    edges: list[Edge] = []
    for index, layer in enumerate(genotype.layers):
        name = f"layer_{index}"
        boxes.append(Box(name, "operation", layer_text(layer)))
        edges += [(f"layer_{i}", name) for i in layer.inputs] or [(_IMAGE, name)]
    boxes.append(Box(_CLASSIFIER, "output", (_CLASSIFIER,)))
    edges += [(f"layer_{i}", _CLASSIFIER) for i in genotype.outputs]
    widths = {box.name: box.width for box in boxes}
    layout = place_in_column([box.name for box in boxes], edges, widths)
    return place_boxes("layers", [[box] for box in boxes], edges, layout)


def place_in_column(
    names: Sequence[str], edges: Sequence[Edge], widths: Mapping[str, float]
) -> Layout:
    """Gives every node that is read beyond the next one a lane, short ones next to the column.

    Args:
        names: The nodes, lowest first.
        edges: `(source, target)`, each going up.
        widths: Width of each node.
    """
    row_of = {name: row for row, name in enumerate(names)}
    last: dict[str, int] = {}
    for source, target in edges:
        last[source] = max(last.get(source, 0), row_of[target])
    # The rows that a lane passes.
    spans = {name: (row_of[name] + 1, end - 1) for name, end in last.items()}
    spans = {name: span for name, span in spans.items() if span[0] <= span[1]}
    lanes: list[list[tuple[int, int]]] = []
    lane_of: dict[str, int] = {}
    for name, (low, high) in sorted(spans.items(), key=lambda item: item[1][1] - item[1][0]):
        free = (
            index
            for index, taken in enumerate(lanes)
            if all(high < other_low or other_high < low for other_low, other_high in taken)
        )
        lane_of[name] = next(free, len(lanes))
        if lane_of[name] == len(lanes):
            lanes.append([])
        lanes[lane_of[name]].append((low, high))
    # Lanes are on the right and on the left in turn.
    sides = ((len(lanes) + 1) // 2, len(lanes) // 2)
    half = max(widths.values()) / 2
    center = half + sides[1] * _LANE
    places = [
        center + (1 if lane % 2 == 0 else -1) * (half + _LANE * (lane // 2 + 1))
        for lane in range(len(lanes))
    ]
    passes = {
        (source, target): [places[lane_of[source]]] * (row_of[target] - row_of[source] - 1)
        if source in lane_of
        else []
        for source, target in edges
    }
    width = center + half + sides[0] * _LANE
    return Layout(dict.fromkeys(names, center), passes, width, 0)
