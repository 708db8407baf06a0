"""The layout of boxes and edges in a drawing, and of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nasnet_keras.genotypes import OPERATIONS, CellGenotype
from nasnet_keras.text.suggestions import unknown_name
from nasnet_keras.visualization.layered_layout import Edge, Layout, place_in_rows

LINE_HEIGHT = 14.0
"""Distance between two lines of text, in points."""

# In points, for text of 12.
_LETTER = 6.6
_PADDING = 8.0
_LEAST_WIDTH = 34.0
_GAP = 14.0
_ROW_GAP = 26.0

_COMBINERS = {
    "add": ("add",),
    "concat": ("concat",),
    "add_layer_norm": ("add,", "layer norm"),
    "add_instance_norm": ("add,", "instance norm"),
}


@dataclass(frozen=True)
class Box:
    """One node.

    Attributes:
        name: A state's name, `block_0/left` and so on for an operation, `concat` or `output`; or
            `image`, `layer_0` and so on, `classifier`.
        kind: `input`, `operation`, `combine`, `concat` or `output`.
        text: Its lines of text.
        x: Its center from the drawing's left, in points.
        y: Its center from the drawing's bottom, in points.
    """

    name: str
    kind: str
    text: tuple[str, ...]
    x: float = 0.0
    y: float = 0.0

    @property
    def width(self) -> float:
        return max(_LEAST_WIDTH, _LETTER * max(map(len, self.text)) + 2 * _PADDING)

    @property
    def height(self) -> float:
        return LINE_HEIGHT * len(self.text) + _PADDING


@dataclass(frozen=True)
class EdgePath:
    """The path of an edge.

    Attributes:
        source: Name of the box where it starts.
        target: Name of the box where it ends.
        points: `(x, y)` from the drawing's lower left, in points. Segments are straight lines
            (through rows) and curves (between rows) in turn, a line first.
    """

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class CellLayout:
    """The layout of a cell's or a network's drawing, whose size is in points."""

    title: str
    boxes: tuple[Box, ...]
    edges: tuple[EdgePath, ...]
    width: float
    height: float


def operation_text(operation: str) -> tuple[str, ...]:
    """Returns the text of an operation's box.

    Raises:
        ValueError: It is unknown, or its kind has no short name.
    """
    if operation not in OPERATIONS:
        raise ValueError(unknown_name("operation", operation, OPERATIONS))
    spec = OPERATIONS[operation]
    size = f"{spec.kernel}x{spec.kernel}"
    dilated = spec.dilation > 1
    match spec.kind:
        case "identity":
            return ("identity",)
        case "convolution":
            return ("dil conv" if dilated else "conv", size)
        case "factorized":
            return ("conv", f"1x{spec.kernel}, {spec.kernel}x1")
        case "separable":
            # NASNet's are always applied twice, dilated ones only exceptionally.
            times = f", {spec.repeats} times" if dilated and spec.repeats > 1 else ""
            return ("dil sep" if dilated else "sep", size + times)
        case "max_pool" | "avg_pool" | "min_pool":
            return (spec.kind.removesuffix("_pool"), size)
        case kind:
            raise ValueError(
                f"operation {operation!r}: drawings have no name for its kind, {kind!r}"
            )


def place_cell(cell: CellGenotype, title: str) -> CellLayout:
    """Places the boxes of a cell in rows, inputs at the bottom, and the edges between them."""
    rows, edges = _graph(cell)
    layout = place_in_rows(
        [[box.name for box in row] for row in rows],
        edges,
        {box.name: box.width for row in rows for box in row},
        _GAP,
    )
    return place_boxes(title, rows, edges, layout)


def place_boxes(
    title: str, rows: Sequence[Sequence[Box]], edges: Sequence[Edge], layout: Layout
) -> CellLayout:
    """Places boxes and edges whose horizontal positions are known.

    Args:
        title: Title of the drawing.
        rows: The boxes by row, lowest row first.
        edges: Names of source and target, each going up.
        layout: The horizontal positions.
    """
    boxes = {box.name: box for row in rows for box in row}
    heights = [max(box.height for box in row) for row in rows]
    bottoms = [sum(heights[:i]) + i * _ROW_GAP for i in range(len(rows))]
    row_of = {box.name: i for i, row in enumerate(rows) for box in row}
    placed = {
        name: replace(
            box, x=layout.centers[name], y=bottoms[row_of[name]] + heights[row_of[name]] / 2
        )
        for name, box in boxes.items()
    }
    paths = []
    for source, target in edges:
        start, end = placed[source], placed[target]
        low, high = row_of[source], row_of[target]
        points = [
            (start.x, start.y + start.height / 2),
            (start.x, bottoms[low] + heights[low]),
        ]
        for row, x in zip(range(low + 1, high), layout.passes[(source, target)], strict=True):
            points += [(x, bottoms[row]), (x, bottoms[row] + heights[row])]
        points += [(end.x, bottoms[high]), (end.x, end.y - end.height / 2)]
        paths.append(EdgePath(source, target, tuple(points)))
    return CellLayout(
        title, tuple(placed.values()), tuple(paths), layout.width, bottoms[-1] + heights[-1]
    )


def _graph(cell: CellGenotype) -> tuple[list[list[Box]], list[Edge]]:
    """Returns the boxes by row, lowest first, and the edges."""
    names = cell.state_names
    if cell.num_inputs == 2:
        labels = {"current": "hᵢ", "previous": "hᵢ₋₁"}
    else:
        labels = {name: name.replace("_", " ") for name in names[: cell.num_inputs]}
    rows: list[list[Box]] = [
        [Box(name, "input", (labels[name],)) for name in reversed(names[: cell.num_inputs])]
    ]
    row_of = dict.fromkeys(names[: cell.num_inputs], 0)
    edges: list[Edge] = []
    for index, block in enumerate(cell.blocks):
        state = f"block_{index}"
        sources = [names[int(branch.input)] for branch in block.branches]
        row = 1 + max(row_of[source] for source in sources)
        row_of[state] = row + 1
        rows += [[] for _ in range(row + 2 - len(rows))]
        for side, branch, source in zip(("left", "right"), block.branches, sources, strict=True):
            name = f"{state}/{side}"
            rows[row].append(Box(name, "operation", operation_text(branch.operation)))
            edges += [(source, name), (name, state)]
        rows[row + 1].append(Box(state, "combine", _combine_text(block.combine)))
    outputs = [names[state] for state in cell.outputs]
    if cell.concat:
        rows += [[Box("concat", "concat", ("concat",))], [Box("output", "output", ("hᵢ₊₁",))]]
        edges += [(output, "concat") for output in outputs] + [("concat", "output")]
    else:
        tops = [f"output_{index}" for index in range(len(outputs))]
        rows.append([Box(top, "output", (top.replace("_", " "),)) for top in tops])
        edges += list(zip(outputs, tops, strict=True))
    return rows, edges


def _combine_text(combine: str) -> tuple[str, ...]:
    if combine not in _COMBINERS:
        raise ValueError(f"drawings have no name for combination {combine!r}")
    return _COMBINERS[combine]
