"""Pictures of cells: every block and edge is there, in the papers' colours, and few edges cross."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from nasnet_keras.genotypes import Branch, CellGenotype, Genotype, get_genotype, list_genotypes
from nasnet_keras.search import get_space
from nasnet_keras.visualization.cell_picture import operation_lines
from nasnet_keras.visualization.drawing import COLORS, draw_genotype, genotype_svg
from nasnet_keras.visualization.layered_layout import place_in_rows

SVG = "{http://www.w3.org/2000/svg}"


def nodes(root: ElementTree.Element, cell: str) -> dict[str, ElementTree.Element]:
    found = root.iter(f"{SVG}g")
    return {g.attrib["data-name"]: g for g in found if g.get("data-cell") == cell}


def edges(root: ElementTree.Element, cell: str) -> list[tuple[str, str]]:
    paths = [p for p in root.iter(f"{SVG}path") if p.attrib["data-cell"] == cell]
    return sorted((p.attrib["data-from"], p.attrib["data-to"]) for p in paths)


def expected_edges(cell: CellGenotype) -> list[tuple[str, str]]:
    names = cell.state_names
    found = []
    for number, block in enumerate(cell.blocks):
        for side, branch in (("left", block.left), ("right", block.right)):
            found.append((names[int(branch.input)], f"block_{number}/{side}"))
            found.append((f"block_{number}/{side}", f"block_{number}"))
    if cell.concat:
        found += [(names[i], "concat") for i in cell.outputs] + [("concat", "output")]
    else:
        found += [(names[i], f"output_{place}") for place, i in enumerate(cell.outputs)]
    return sorted(found)


GENOTYPES = [get_genotype(name) for name in list_genotypes()]
GENOTYPES += [
    space.decode(space.sample(np.random.default_rng(seed)))
    for seed, space in enumerate((get_space("nasnet"), get_space("pnas", num_blocks=3)))
]


@pytest.mark.parametrize("genotype", GENOTYPES, ids=lambda genotype: genotype.name)
def test_every_box_and_edge_is_drawn(genotype: Genotype) -> None:
    root = ElementTree.fromstring(genotype_svg(genotype))
    assert root.findtext(f"{SVG}title") == genotype.name
    cells = {"cell": genotype.normal}
    if genotype.reduction is not None:
        cells = {"normal": genotype.normal, "reduction": genotype.reduction}
    for kind, cell in cells.items():
        assert edges(root, kind) == expected_edges(cell)
        drawn = nodes(root, kind)
        kinds = Counter(node.attrib["class"].split()[1] for node in drawn.values())
        blocks = len(cell.blocks)
        assert kinds["input"] == cell.num_inputs and kinds["operation"] == 2 * blocks
        assert kinds["combine"] == blocks and kinds["concat"] == bool(cell.concat)
        for node in drawn.values():
            rectangle = node.find(f"{SVG}rect")
            assert rectangle is not None
            assert rectangle.attrib["fill"] == COLORS[node.attrib["class"].split()[1]]
        for number, block in enumerate(cell.blocks):
            for side, branch in (("left", block.left), ("right", block.right)):
                texts = [t.text for t in drawn[f"block_{number}/{side}"].iter(f"{SVG}text")]
                assert texts == list(operation_lines(branch.operation))


@pytest.mark.parametrize("genotype", GENOTYPES, ids=lambda genotype: genotype.name)
def test_boxes_do_not_overlap_and_are_inside(genotype: Genotype) -> None:
    root = ElementTree.fromstring(genotype_svg(genotype))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for kind in ("cell", "normal", "reduction"):
        boxes = []
        for node in nodes(root, kind).values():
            rectangle = node.find(f"{SVG}rect")
            assert rectangle is not None
            x, y, w, h = (float(rectangle.attrib[k]) for k in ("x", "y", "width", "height"))
            assert x >= -0.1 and y > 0 and x + w < width and y + h < height
            for x2, y2, w2, h2 in boxes:
                assert x + w < x2 or x2 + w2 < x or y + h < y2 or y2 + h2 < y
            boxes.append((x, y, w, h))


def test_edges_that_need_not_cross_do_not() -> None:
    # A ladder whose rows are given in the wrong order, with an edge that passes a row.
    rows = [["a", "b", "c"], ["z", "y", "x"], ["r", "q", "p"]]
    edges = [("a", "x"), ("b", "y"), ("c", "z"), ("x", "p"), ("y", "q"), ("z", "r"), ("a", "p")]
    layout = place_in_rows(rows, edges, dict.fromkeys("abcxyzpqr", 10.0), gap=5.0)
    assert layout.crossings == 0
    assert len(layout.passes[("a", "p")]) == 1
    for row in rows:
        places = sorted(layout.centers[name] for name in row)
        assert np.diff(places).min() >= 15.0 - 1e-6
    with pytest.raises(ValueError, match="from 'x' to 'a' does not go up"):
        place_in_rows(rows, [("x", "a")], dict.fromkeys("abcxyzpqr", 10.0), gap=5.0)


def test_crossings_that_must_be_are_counted() -> None:
    # Three of three: of the complete bipartite graph, no order has fewer than nine.
    edges = [(a, b) for a in "abc" for b in "xyz"]
    layout = place_in_rows([list("abc"), list("xyz")], edges, dict.fromkeys("abcxyz", 1.0), 1.0)
    assert layout.crossings == 9


def test_files_are_pictures_of_their_suffix(tmp_path: Path) -> None:
    genotype = get_genotype("pnasnet_5")
    draw_genotype(genotype, tmp_path / "cell.svg")
    assert (tmp_path / "cell.svg").read_text() == genotype_svg(genotype) + "\n"
    draw_genotype(genotype, tmp_path / "cell.png")
    from PIL import Image

    with Image.open(tmp_path / "cell.png") as image:
        colors = {color for _, color in image.convert("RGB").getcolors(2**24) or ()}
    for fill in COLORS.values():
        assert tuple(bytes.fromhex(fill[1:])) in colors
    with pytest.raises(ValueError, match=r"\.svg or \.png, got '\.gif'"):
        draw_genotype(genotype, tmp_path / "cell.gif")


def test_names_are_escaped() -> None:
    name = "<script>&\"'"
    text = genotype_svg(get_genotype("pnasnet_5").renamed(name))
    assert "<script" not in text
    assert ElementTree.fromstring(text).findtext(f"{SVG}title") == name


def test_operations_have_names_of_their_own() -> None:
    from nasnet_keras.genotypes import OPERATIONS

    assert len({operation_lines(name) for name in OPERATIONS}) == len(OPERATIONS)
    assert operation_lines(Branch("conv_1x7_7x1", 0).operation) == ("conv", "1x7, 7x1")
