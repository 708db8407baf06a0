"""Pictures of cells in the papers' style."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nasnet_keras.genotypes import OPERATIONS, CellGenotype, Genotype
from nasnet_keras.search.layered_layout import Edge, place_in_rows
from nasnet_keras.whole_files import check_can_write, written_whole

COLORS = {
    "input": "#ffffff",
    "operation": "#fff3c4",
    "combine": "#cfe8c9",
    "concat": "#f6c6d4",
    "output": "#ffffff",
}
"""Fill by kind of node: white inputs, yellow operations, green combinations, pink concatenation."""

_INK = "#333333"
_FONT_SIZE = 12.0
_LETTER = 6.6  # Width of a letter at this size; boxes are made for it.
_LINE = 14.0
_PADDING = 8.0
_GAP = 14.0
_ROW_GAP = 26.0
_BETWEEN_CELLS = 60.0
_MARGIN = 16.0
_TITLE_HEIGHT = 30.0
_PIXELS_PER_POINT = 2.0  # PNG only.

_KINDS = {
    "convolution": "conv",
    "factorized": "conv",
    "separable": "sep",
    "max_pool": "max",
    "avg_pool": "avg",
    "min_pool": "min",
}
_COMBINERS = {
    "add": ("add",),
    "concat": ("concat",),
    "add_layer_norm": ("add,", "layer norm"),
    "add_instance_norm": ("add,", "instance norm"),
}


@dataclass(frozen=True)
class _Box:
    name: str
    kind: str
    lines: tuple[str, ...]
    center: float = 0.0
    middle: float = 0.0

    @property
    def width(self) -> float:
        return max(34.0, _LETTER * max(map(len, self.lines)) + 2 * _PADDING)

    @property
    def height(self) -> float:
        return _LINE * len(self.lines) + _PADDING


@dataclass(frozen=True)
class _Line:
    """An edge: from its first point up, with a curve between each two rows."""

    source: str
    target: str
    # From the first to the second it is straight, then a curve, and so on in turn.
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class _Picture:
    title: str
    boxes: tuple[_Box, ...]
    lines: tuple[_Line, ...]
    width: float
    height: float


def draw_genotype(genotype: Genotype, path: str | os.PathLike[str]) -> None:
    """Draws the cells of a genotype, from their inputs at the bottom to the output at the top.

    Args:
        genotype: The genotype.
        path: The file, written whole or not at all; its suffix, `.svg` or `.png`, is its format.

    Raises:
        OSError: The file cannot be written.
        ValueError: The suffix is another one.
    """
    suffix = Path(path).suffix
    if suffix not in (".svg", ".png"):
        raise ValueError(f"{os.fspath(path)}: a picture's suffix is .svg or .png, got {suffix!r}")
    check_can_write(path)
    with written_whole(path) as temporary:
        if suffix == ".svg":
            temporary.write_text(genotype_svg(genotype) + "\n", encoding="utf-8")
        else:
            _draw_png(_pictures(genotype), temporary)


def genotype_svg(genotype: Genotype) -> str:
    """Returns the picture as an SVG element, which can stand in a page of HTML as it is.

    Every box is a `g` of the classes `node` and its kind (a key of `COLORS`) with the attributes
    `data-cell` and `data-name`; every edge a `path` of class `edge` with `data-cell`, `data-from`
    and `data-to`. Boxes are named as in `CellGenotype.state_names`, operations `block_0/left`.
    """
    pictures = _pictures(genotype)
    width, height = _size(pictures)
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width:.1f} {height:.1f}",
            "width": f"{width:.1f}",
            "height": f"{height:.1f}",
            "role": "img",
            "font-family": "DejaVu Sans, Verdana, Helvetica, sans-serif",
            "font-size": f"{_FONT_SIZE:g}",
            "text-anchor": "middle",
        },
    )
    ElementTree.SubElement(root, "title").text = genotype.name
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    for picture, left in zip(pictures, _lefts(pictures), strict=True):
        cell = picture.title.split()[0]
        bottom = height - _MARGIN
        group = ElementTree.SubElement(root, "g", {"transform": f"translate({left:.1f} 0)"})
        for line in picture.lines:
            points = [(x, bottom - y) for x, y in line.points]
            ElementTree.SubElement(
                group,
                "path",
                {
                    "class": "edge",
                    "data-cell": cell,
                    "data-from": line.source,
                    "data-to": line.target,
                    "d": _svg_path(points),
                    "fill": "none",
                    "stroke": _INK,
                },
            )
        for box in picture.boxes:
            _svg_box(group, cell, box, bottom)
        title = {"x": f"{picture.width / 2:.1f}", "y": f"{_MARGIN + _FONT_SIZE:.1f}"}
        ElementTree.SubElement(
            group, "text", title | {"font-weight": "bold", "class": "title"}
        ).text = picture.title
    return ElementTree.tostring(root, encoding="unicode")


def operation_lines(operation: str) -> tuple[str, ...]:
    """Returns the short name of an operation, as it stands in a box.

    Raises:
        KeyError: There is no such operation.
    """
    spec = OPERATIONS[operation]
    if spec.kind == "identity":
        return ("identity",)
    size = f"{spec.kernel}x{spec.kernel}"
    if spec.kind == "factorized":
        size = f"1x{spec.kernel}, {spec.kernel}x1"
    name = _KINDS[spec.kind]
    if spec.dilation > 1:
        name = f"dil {name}" if spec.kind == "separable" else "dil conv"
    # Twice is what NASNet's separable convolutions always are, and dilated ones only by exception.
    if spec.dilation > 1 and spec.repeats > 1:
        size += f", {spec.repeats} times"
    return (name, size)


def _pictures(genotype: Genotype) -> list[_Picture]:
    if genotype.reduction is None:
        return [_picture(genotype.normal, "cell")]
    return [
        _picture(genotype.normal, "normal cell"),
        _picture(genotype.reduction, "reduction cell"),
    ]


def _picture(cell: CellGenotype, title: str) -> _Picture:
    rows, edges = _graph(cell)
    boxes = {box.name: box for row in rows for box in row}
    layout = place_in_rows(
        [[box.name for box in row] for row in rows],
        edges,
        {name: box.width for name, box in boxes.items()},
        _GAP,
    )
    heights = [max(box.height for box in row) for row in rows]
    bottoms = [sum(heights[:i]) + i * _ROW_GAP for i in range(len(rows))]
    row_of = {box.name: i for i, row in enumerate(rows) for box in row}
    placed = {
        name: _Box(
            name,
            box.kind,
            box.lines,
            layout.centers[name],
            bottoms[row_of[name]] + heights[row_of[name]] / 2,
        )
        for name, box in boxes.items()
    }
    lines = []
    for source, target in edges:
        start, end = placed[source], placed[target]
        low, high = row_of[source], row_of[target]
        points = [
            (start.center, start.middle + start.height / 2),
            (start.center, bottoms[low] + heights[low]),
        ]
        for row, x in zip(range(low + 1, high), layout.passes[(source, target)], strict=True):
            points += [(x, bottoms[row]), (x, bottoms[row] + heights[row])]
        points += [(end.center, bottoms[high]), (end.center, end.middle - end.height / 2)]
        lines.append(_Line(source, target, tuple(points)))
    return _Picture(
        title, tuple(placed.values()), tuple(lines), layout.width, bottoms[-1] + heights[-1]
    )


def _graph(cell: CellGenotype) -> tuple[list[list[_Box]], list[Edge]]:
    """Returns the boxes by row, the lowest first, and the edges between them."""
    names = cell.state_names
    if cell.num_inputs == 2:
        labels = {"current": "hᵢ", "previous": "hᵢ₋₁"}
    else:
        labels = {name: name.replace("_", " ") for name in names[: cell.num_inputs]}
    rows: list[list[_Box]] = [
        [_Box(name, "input", (labels[name],)) for name in reversed(names[: cell.num_inputs])]
    ]
    row_of = dict.fromkeys(names[: cell.num_inputs], 0)
    edges: list[Edge] = []
    for number, block in enumerate(cell.blocks):
        state = f"block_{number}"
        sources = [names[int(branch.input)] for branch in block.branches]
        row = 1 + max(row_of[source] for source in sources)
        row_of[state] = row + 1
        rows += [[] for _ in range(row + 2 - len(rows))]
        for side, branch, source in zip(("left", "right"), block.branches, sources, strict=True):
            name = f"{state}/{side}"
            rows[row].append(_Box(name, "operation", operation_lines(branch.operation)))
            edges += [(source, name), (name, state)]
        rows[row + 1].append(_Box(state, "combine", _COMBINERS[block.combine]))
    outputs = [names[state] for state in cell.outputs]
    if cell.concat:
        rows += [[_Box("concat", "concat", ("concat",))], [_Box("output", "output", ("hᵢ₊₁",))]]
        edges += [(output, "concat") for output in outputs] + [("concat", "output")]
    else:
        tops = [f"output_{number}" for number in range(len(outputs))]
        rows.append([_Box(top, "output", (top.replace("_", " "),)) for top in tops])
        edges += list(zip(outputs, tops, strict=True))
    return rows, edges


def _size(pictures: Sequence[_Picture]) -> tuple[float, float]:
    width = sum(p.width for p in pictures) + _BETWEEN_CELLS * (len(pictures) - 1) + 2 * _MARGIN
    return width, max(p.height for p in pictures) + _TITLE_HEIGHT + 2 * _MARGIN


def _lefts(pictures: Sequence[_Picture]) -> list[float]:
    return [
        _MARGIN + sum(p.width + _BETWEEN_CELLS for p in pictures[:number])
        for number in range(len(pictures))
    ]


def _svg_path(points: Sequence[tuple[float, float]]) -> str:
    text = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for number, ((x0, y0), (x1, y1)) in enumerate(itertools.pairwise(points)):
        middle = (y0 + y1) / 2
        if number % 2 and x0 != x1:
            text += f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}"
        elif (x0, y0) != (x1, y1):
            text += f"L{x1:.1f} {y1:.1f}"
    return text


def _svg_box(group: ElementTree.Element, cell: str, box: _Box, bottom: float) -> None:
    node = ElementTree.SubElement(
        group, "g", {"class": f"node {box.kind}", "data-cell": cell, "data-name": box.name}
    )
    ElementTree.SubElement(
        node,
        "rect",
        {
            "x": f"{box.center - box.width / 2:.1f}",
            "y": f"{bottom - box.middle - box.height / 2:.1f}",
            "width": f"{box.width:.1f}",
            "height": f"{box.height:.1f}",
            "rx": "5",
            "fill": COLORS[box.kind],
            "stroke": _INK,
        },
    )
    first = bottom - box.middle - _LINE * (len(box.lines) - 1) / 2 + 0.35 * _FONT_SIZE
    for number, line in enumerate(box.lines):
        place = {"x": f"{box.center:.1f}", "y": f"{first + _LINE * number:.1f}"}
        ElementTree.SubElement(node, "text", place).text = line


def _draw_png(pictures: Sequence[_Picture], path: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch, PathPatch
    from matplotlib.path import Path as Outline

    width, height = _size(pictures)
    # One unit is a point, of which an inch has 72.
    figure = Figure(figsize=(width / 72, height / 72), dpi=72 * _PIXELS_PER_POINT)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(-_MARGIN, height - _MARGIN))
    axes.set_axis_off()
    text: dict[str, Any] = {"ha": "center", "va": "center", "family": "DejaVu Sans"}
    for picture, left in zip(pictures, _lefts(pictures), strict=True):
        for line in picture.lines:
            points, codes = [line.points[0]], [Outline.MOVETO]
            for number, (a, b) in enumerate(zip(line.points, line.points[1:], strict=False)):
                middle = (a[1] + b[1]) / 2
                curve = [(a[0], middle), (b[0], middle), b] if number % 2 else [b]
                points += curve
                codes += [Outline.CURVE4 if number % 2 else Outline.LINETO] * len(curve)
            moved = [(x + left, y) for x, y in points]
            axes.add_patch(PathPatch(Outline(moved, codes), facecolor="none", edgecolor=_INK))
        for box in picture.boxes:
            x, y = left + box.center, box.middle
            axes.add_patch(
                FancyBboxPatch(
                    (x - box.width / 2 + 5, y - box.height / 2 + 5),
                    box.width - 10,
                    box.height - 10,
                    boxstyle="round,pad=5",
                    facecolor=COLORS[box.kind],
                    edgecolor=_INK,
                    zorder=2,
                )
            )
            first = y + _LINE * (len(box.lines) - 1) / 2
            for number, label in enumerate(box.lines):
                axes.text(x, first - _LINE * number, label, size=_FONT_SIZE - 1, zorder=3, **text)
        axes.text(
            left + picture.width / 2, height - 2 * _MARGIN - _FONT_SIZE / 2, picture.title,
            size=_FONT_SIZE, weight="bold", **text,
        )  # fmt: skip
    figure.savefig(path, format="png")
