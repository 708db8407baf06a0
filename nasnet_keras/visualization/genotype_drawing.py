"""Drawings of cells in the papers' style, and of layer-wise networks."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nasnet_keras.files.atomic_files import atomic_write, check_can_write
from nasnet_keras.genotypes import (
    Genotype,
    LayerwiseGenotype,
    NetworkGenotype,
    get_genotype,
)
from nasnet_keras.text.plain_text import printable
from nasnet_keras.visualization.cell_layout import LINE_HEIGHT, Box, CellLayout, place_cell
from nasnet_keras.visualization.layer_layout import place_layers

COLORS = {
    "input": "#ffffff",
    "operation": "#fff3c4",
    "combine": "#cfe8c9",
    "concat": "#f6c6d4",
    "output": "#ffffff",
}
"""Fill color by kind of node."""

_INK = "#333333"
_FONT_SIZE = 12.0
_BETWEEN_CELLS = 60.0
_MARGIN = 16.0
_TITLE_HEIGHT = 30.0
_PIXELS_PER_POINT = 2.0  # PNG only.

Point = tuple[float, float]


def draw_genotype(
    genotype: NetworkGenotype | str | os.PathLike[str], path: str | os.PathLike[str]
) -> None:
    """Draws a genotype's cells, or its layers, from the inputs at the bottom to the output.

    Args:
        genotype: A genotype, the name of a published one (`list_genotypes()`), or a `.json` file.
        path: The file, written atomically; its suffix, `.svg` or `.png`, selects the format.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: The suffix or the name is unknown, or the file is not a genotype.
    """
    if not isinstance(genotype, NetworkGenotype):
        genotype = get_genotype(os.fspath(genotype))
    suffix = Path(path).suffix
    if suffix not in (".svg", ".png"):
        raise ValueError(f"{os.fspath(path)}: a drawing's suffix is .svg or .png, got {suffix!r}")
    check_can_write(path)
    with atomic_write(path) as temporary:
        if suffix == ".svg":
            temporary.write_text(genotype_svg(genotype) + "\n", encoding="utf-8")
        else:
            _draw_png(_layouts(genotype), temporary)


def genotype_svg(genotype: NetworkGenotype) -> str:
    """Returns the drawing as an SVG element, which can be embedded in HTML.

    Every box is a `g` with the classes `node` and its kind (a key of `COLORS`) and the attributes
    `data-cell` and `data-name`; every edge is a `path` of class `edge` with `data-cell`,
    `data-from` and `data-to`. Boxes are named as in `CellGenotype.state_names`, operations
    `block_0/left`; of a layer-wise network (`data-cell="layers"`) `image`, `layer_0` and so on,
    `classifier`.
    """
    layouts = _layouts(genotype)
    width, height = _size(layouts)
    root = ElementTree.Element("svg")
    _set(
        root,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.1f} {height:.1f}",
        width=width,
        height=height,
        role="img",
        font_family="DejaVu Sans, Verdana, Helvetica, sans-serif",
        font_size=f"{_FONT_SIZE:g}",
        text_anchor="middle",
    )
    _add(root, "title").text = printable(genotype.name)
    _add(root, "rect", width="100%", height="100%", fill="#ffffff")
    for layout, left in zip(layouts, _lefts(layouts), strict=True):
        cell = layout.title.split()[0]
        bottom = height - _MARGIN
        group = _add(root, "g", transform=f"translate({left:.1f} 0)")
        for edge in layout.edges:
            ends = {"data_from": edge.source, "data_to": edge.target}
            outline = _svg_path([(x, bottom - y) for x, y in edge.points])
            _add(
                group,
                "path",
                class_="edge",
                data_cell=cell,
                **ends,
                d=outline,
                fill="none",
                stroke=_INK,
            )
        for box in layout.boxes:
            _svg_box(group, cell, box, bottom)
        title = {"font_weight": "bold", "class_": "title"}
        middle, top = layout.width / 2, _MARGIN + _FONT_SIZE
        _add(group, "text", x=middle, y=top, **title).text = layout.title
    return ElementTree.tostring(root, encoding="unicode")


def _layouts(genotype: NetworkGenotype) -> list[CellLayout]:
    if isinstance(genotype, LayerwiseGenotype):
        return [place_layers(genotype)]
    if not isinstance(genotype, Genotype):
        raise ValueError(f"drawings of a {type(genotype).__name__} are not known")
    if genotype.reduction is None:
        return [place_cell(genotype.normal, "cell")]
    return [
        place_cell(genotype.normal, "normal cell"),
        place_cell(genotype.reduction, "reduction cell"),
    ]


def _size(layouts: Sequence[CellLayout]) -> tuple[float, float]:
    width = sum(each.width for each in layouts) + _BETWEEN_CELLS * (len(layouts) - 1) + 2 * _MARGIN
    return width, max(each.height for each in layouts) + _TITLE_HEIGHT + 2 * _MARGIN


def _lefts(layouts: Sequence[CellLayout]) -> list[float]:
    return [
        _MARGIN + sum(each.width + _BETWEEN_CELLS for each in layouts[:i])
        for i in range(len(layouts))
    ]


def _segments(points: Sequence[Point]) -> list[list[Point]]:
    """Returns a path after its first point: a line's end, or a curve's three points."""
    segments = []
    for i, ((x0, y0), (x1, y1)) in enumerate(itertools.pairwise(points)):
        middle = (y0 + y1) / 2
        if i % 2 and x0 != x1:
            segments.append([(x0, middle), (x1, middle), (x1, y1)])
        elif (x0, y0) != (x1, y1):
            segments.append([(x1, y1)])
    return segments


def _svg_path(points: Sequence[Point]) -> str:
    def text(segment: Sequence[Point]) -> str:
        return " ".join(f"{x:.1f} {y:.1f}" for x, y in segment)

    return f"M{text(points[:1])}" + "".join(
        f"{'C' if len(segment) == 3 else 'L'}{text(segment)}" for segment in _segments(points)
    )


def _svg_box(group: ElementTree.Element, cell: str, box: Box, bottom: float) -> None:
    node = _add(group, "g", class_=f"node {box.kind}", data_cell=cell, data_name=box.name)
    _add(
        node,
        "rect",
        x=box.x - box.width / 2,
        y=bottom - box.y - box.height / 2,
        width=box.width,
        height=box.height,
        rx="5",
        fill=COLORS[box.kind],
        stroke=_INK,
    )
    first = bottom - box.y - LINE_HEIGHT * (len(box.text) - 1) / 2 + 0.35 * _FONT_SIZE
    for index, line in enumerate(box.text):
        _add(node, "text", x=box.x, y=first + LINE_HEIGHT * index).text = line


def _add(parent: ElementTree.Element, tag: str, **attributes: str | float) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, tag)
    _set(element, **attributes)
    return element


def _set(element: ElementTree.Element, **attributes: str | float) -> None:
    for name, value in attributes.items():
        name = name.rstrip("_").replace("_", "-")
        element.set(name, value if isinstance(value, str) else f"{value:.1f}")


def _draw_png(layouts: Sequence[CellLayout], path: Path) -> None:
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch, PathPatch
    from matplotlib.path import Path as Outline

    width, height = _size(layouts)
    # One unit is a point, 1/72 inch.
    figure = Figure(figsize=(width / 72, height / 72), dpi=72 * _PIXELS_PER_POINT)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(-_MARGIN, height - _MARGIN))
    axes.set_axis_off()
    text: dict[str, Any] = {"ha": "center", "va": "center", "family": "DejaVu Sans"}
    for layout, left in zip(layouts, _lefts(layouts), strict=True):
        for edge in layout.edges:
            points, codes = [edge.points[0]], [Outline.MOVETO]
            for segment in _segments(edge.points):
                points += segment
                code = Outline.CURVE4 if len(segment) == 3 else Outline.LINETO
                codes += [code] * len(segment)
            moved = [(x + left, y) for x, y in points]
            axes.add_patch(PathPatch(Outline(moved, codes), facecolor="none", edgecolor=_INK))
        for box in layout.boxes:
            x, y = left + box.x, box.y
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
            first = y + LINE_HEIGHT * (len(box.text) - 1) / 2
            for index, label in enumerate(box.text):
                axes.text(
                    x, first - LINE_HEIGHT * index, label, size=_FONT_SIZE - 1, zorder=3, **text
                )
        axes.text(
            left + layout.width / 2, height - 2 * _MARGIN - _FONT_SIZE / 2, layout.title,
            size=_FONT_SIZE, weight="bold", **text,
        )  # fmt: skip
    figure.savefig(path, format="png")
