"""Pictures of cells in the papers' style."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nasnet_keras.genotypes import Genotype
from nasnet_keras.visualization.cell_picture import LINE_HEIGHT, Box, Picture, place_cell
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
_BETWEEN_CELLS = 60.0
_MARGIN = 16.0
_TITLE_HEIGHT = 30.0
_PIXELS_PER_POINT = 2.0  # PNG only.


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


def _pictures(genotype: Genotype) -> list[Picture]:
    if genotype.reduction is None:
        return [place_cell(genotype.normal, "cell")]
    return [
        place_cell(genotype.normal, "normal cell"),
        place_cell(genotype.reduction, "reduction cell"),
    ]


def _size(pictures: Sequence[Picture]) -> tuple[float, float]:
    width = sum(p.width for p in pictures) + _BETWEEN_CELLS * (len(pictures) - 1) + 2 * _MARGIN
    return width, max(p.height for p in pictures) + _TITLE_HEIGHT + 2 * _MARGIN


def _lefts(pictures: Sequence[Picture]) -> list[float]:
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


def _svg_box(group: ElementTree.Element, cell: str, box: Box, bottom: float) -> None:
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
    first = bottom - box.middle - LINE_HEIGHT * (len(box.lines) - 1) / 2 + 0.35 * _FONT_SIZE
    for number, line in enumerate(box.lines):
        place = {"x": f"{box.center:.1f}", "y": f"{first + LINE_HEIGHT * number:.1f}"}
        ElementTree.SubElement(node, "text", place).text = line


def _draw_png(pictures: Sequence[Picture], path: Path) -> None:
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
            first = y + LINE_HEIGHT * (len(box.lines) - 1) / 2
            for number, label in enumerate(box.lines):
                axes.text(
                    x, first - LINE_HEIGHT * number, label, size=_FONT_SIZE - 1, zorder=3, **text
                )
        axes.text(
            left + picture.width / 2, height - 2 * _MARGIN - _FONT_SIZE / 2, picture.title,
            size=_FONT_SIZE, weight="bold", **text,
        )  # fmt: skip
    figure.savefig(path, format="png")
