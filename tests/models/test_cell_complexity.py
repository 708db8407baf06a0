"""What no closed form is known for is not counted as something else."""

import pytest

from nasnet_keras.genotypes import OPERATIONS, Block, Branch, CellGenotype, OperationSpec
from nasnet_keras.models.cell_complexity import Cost, add_cell


@pytest.mark.parametrize(
    ("operation", "combine", "message"),
    [
        ("dense_3x3", "add", "what operations of kind 'dense' cost is not known"),
        ("identity", "multiply", "what combination 'multiply' costs is not known"),
    ],
)
def test_what_nobody_counts_is_refused(
    operation: str, combine: str, message: str, monkeypatch
) -> None:
    monkeypatch.setitem(OPERATIONS, "dense_3x3", OperationSpec("dense", 3))  # type: ignore[arg-type]
    monkeypatch.setattr("nasnet_keras.genotypes.genotype.COMBINERS", ("add", "multiply"))
    block = Block(Branch(operation, 0), Branch("identity", 1), combine)
    cell = CellGenotype((block,), concat=(2,))
    with pytest.raises(ValueError, match=message):
        add_cell(Cost(), cell, 4, 1, bottleneck=False, channels=(4, 4), sides=(8, 8))
