"""Pictures of cells: every block and edge is there, in the papers' colours, and few edges cross."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from nasnet_keras.genotypes import CellGenotype, Genotype, get_genotype, list_genotypes
from nasnet_keras.search import get_space
from nasnet_keras.visualization import draw_genotype, genotype_svg
from nasnet_keras.visualization.cell_layout import operation_text
from nasnet_keras.visualization.genotype_drawing import COLORS
from tests.networks_of_cells import CELL_GENOTYPES

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


GENOTYPES = [get_genotype(name) for name in CELL_GENOTYPES]
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
                assert texts == list(operation_text(branch.operation))


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
    control = "".join(map(chr, range(1, 32))) + "\x7f\ufffe\udcff"
    text = genotype_svg(get_genotype("pnasnet_5").renamed(control))
    assert ElementTree.fromstring(text).findtext(f"{SVG}title").startswith(r"\x01\x02")
    name = "<script>&\"'"
    text = genotype_svg(get_genotype("pnasnet_5").renamed(name))
    assert "<script" not in text
    assert ElementTree.fromstring(text).findtext(f"{SVG}title") == name


@pytest.mark.parametrize("name", list_genotypes())
def test_a_published_cell_is_drawn_by_its_name_and_any_from_its_file(
    name: str, tmp_path: Path
) -> None:
    genotype = get_genotype(name)
    genotype.save(tmp_path / "cell.json")
    for what, file in ((name, "name.svg"), (tmp_path / "cell.json", "file.svg")):
        draw_genotype(what, tmp_path / file)
        assert (tmp_path / file).read_text() == genotype_svg(genotype) + "\n"


def test_what_is_no_genotype_is_not_drawn(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown genotype 'pnasnet_6'; did you mean 'pnasnet_5'?"):
        draw_genotype("pnasnet_6", tmp_path / "cell.svg")
    (tmp_path / "cell.json").write_text("{}")
    with pytest.raises(ValueError, match="cell.json: genotype 'custom' has no 'normal' cell"):
        draw_genotype(tmp_path / "cell.json", tmp_path / "cell.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["cell.json"]
