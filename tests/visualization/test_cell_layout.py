"""The boxes of a cell: what is written in them, and where their edges end."""

import pytest

from nasnet_keras.genotypes import OPERATIONS, OperationSpec, get_genotype
from nasnet_keras.visualization.cell_layout import operation_text, place_cell
from tests.networks_of_cells import CELL_GENOTYPES


def test_operations_have_names_of_their_own() -> None:
    assert len({operation_text(name) for name in OPERATIONS}) == len(OPERATIONS)
    assert operation_text("conv_1x7_7x1") == ("conv", "1x7, 7x1")
    assert operation_text("dilated_separable_5x5_twice") == ("dil sep", "5x5, 2 times")
    assert operation_text("min_pool_2x2") == ("min", "2x2")


def test_an_operation_without_a_name_is_refused(monkeypatch) -> None:
    with pytest.raises(ValueError, match="unknown operation 'max_pool_3x4'; did you mean"):
        operation_text("max_pool_3x4")
    monkeypatch.setitem(OPERATIONS, "dense_3x3", OperationSpec("dense", 3))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="operation 'dense_3x3': .* no name for its kind, 'dense'"):
        operation_text("dense_3x3")


@pytest.mark.parametrize("name", CELL_GENOTYPES)
def test_edges_go_up_from_box_to_box(name: str) -> None:
    layout = place_cell(get_genotype(name).normal, name)
    boxes = {box.name: box for box in layout.boxes}
    for edge in layout.edges:
        source, target = boxes[edge.source], boxes[edge.target]
        assert edge.points[0] == (source.x, source.y + source.height / 2)
        assert edge.points[-1] == (target.x, target.y - target.height / 2)
        heights = [y for _, y in edge.points]
        assert heights == sorted(heights)
    assert layout.width == pytest.approx(max(box.x + box.width / 2 for box in layout.boxes), abs=20)
