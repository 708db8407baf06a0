"""Cells as data: published cells, validation, JSON, conversion."""

import ast
import json
from pathlib import Path

import pytest

from nasnet_keras import genotypes
from nasnet_keras.genotypes import (
    NASNET_A,
    NASNET_B,
    Block,
    Branch,
    CellGenotype,
    Genotype,
    cell_from_darts,
    cell_from_slim,
    genotype_from_darts,
    get_genotype,
    list_genotypes,
)


def described(cell: CellGenotype) -> str:
    """Writes a cell as the papers' tables do."""
    short = {"separable_3x3": "sep3", "separable_5x5": "sep5", "separable_7x7": "sep7"}
    short |= {"avg_pool_3x3": "avg3", "max_pool_3x3": "max3", "max_pool_5x5": "max5"}
    short |= {"identity": "id", "conv_1x3_3x1": "1x3-3x1", "conv_1x7_7x1": "1x7-7x1"}
    blocks = [
        "+".join(f"{short[b.operation]}({b.input})" for b in block.branches)
        for block in cell.blocks
    ]
    return " ".join(blocks) + " -> " + ",".join(map(str, cell.outputs))


@pytest.mark.parametrize(
    ("name", "kind", "table"),
    [
        (
            "nasnet_a",
            "normal",
            "sep5(0)+sep3(1) sep5(1)+sep3(1) avg3(0)+id(1) avg3(1)+avg3(1) sep3(0)+id(0) "
            "-> 1,2,3,4,5,6",
        ),
        (
            "nasnet_a",
            "reduction",
            "sep5(0)+sep7(1) max3(0)+sep7(1) avg3(0)+sep5(1) id(3)+avg3(2) sep3(2)+max3(0) "
            "-> 3,4,5,6",
        ),
        (
            "pnasnet_5",
            "normal",
            "sep5(1)+max3(1) sep7(0)+max3(0) sep5(0)+sep3(0) sep3(4)+max3(0) sep3(1)+id(0) "
            "-> 2,3,4,5,6",
        ),
        (
            "nasnet_b",
            "normal",
            "sep5(1)+id(2) sep5(0)+sep3(3) sep3(1)+id(3) id(0)+sep3(1) -> 4,5,6,7",
        ),
        (
            "nasnet_b",
            "reduction",
            "sep3(0)+sep3(1) sep3(1)+id(3) id(2)+avg3(3) avg3(0)+1x3-3x1(4) -> 4,5,6,7",
        ),
        (
            "nasnet_c",
            "normal",
            "sep3(0)+sep5(0) sep3(0)+sep3(1) sep3(0)+sep3(1) sep3(1)+1x3-3x1(1) -> 2,3,4,5",
        ),
        (
            "nasnet_c",
            "reduction",
            "max3(0)+max3(0) 1x7-7x1(0)+max3(1) max3(0)+max3(1) sep7(1)+max5(1) -> 2,3,4,5",
        ),
        (
            "amoebanet_a",
            "normal",
            "avg3(0)+max3(0) sep3(1)+id(1) id(0)+avg3(1) sep3(0)+sep5(2) avg3(5)+sep3(0) "
            "-> 1,3,4,6",
        ),
        (
            "amoebanet_c",
            "reduction",
            "max3(0)+max3(0) sep7(2)+sep3(0) sep7(0)+max3(1) sep5(4)+sep5(4) max3(1)+sep3(1) "
            "-> 0,2,3,4,5,6",
        ),
    ],
)
def test_published_cells_are_the_papers(name: str, kind: str, table: str) -> None:
    assert described(getattr(get_genotype(name), kind)) == table


def test_combinations_of_b_and_c() -> None:
    def combinations(name: str) -> list[list[str]]:
        genotype = get_genotype(name)
        cells = [genotype.normal, genotype.reduction]
        return [[block.combine for block in cell.blocks] for cell in cells]

    ln, inorm = "add_layer_norm", "add_instance_norm"
    assert combinations("nasnet_b") == [[ln] * 4, [ln, ln, "add", "add"]]
    assert combinations("nasnet_c") == [["add", inorm, "concat", ln], ["concat", ln, inorm, ln]]


@pytest.mark.parametrize("name", list_genotypes())
def test_json_round_trip(name: str, tmp_path: Path) -> None:
    genotype = get_genotype(name)
    genotype.save(tmp_path / "cell.json")
    assert type(genotype).load(tmp_path / "cell.json") == genotype
    # As editors on Windows write it.
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "cell.json").write_text(genotype.to_json(), encoding)
        assert type(genotype).load(tmp_path / "cell.json") == genotype
    assert [path.name for path in tmp_path.iterdir()] == ["cell.json"]


def test_states_by_name_and_by_index_are_the_same() -> None:
    named = CellGenotype(
        (Block(Branch("identity", "current"), Branch("conv_1x1", "previous")),), ("block_0",)
    )
    assert named == CellGenotype((Block(Branch("identity", 0), Branch("conv_1x1", 1)),), (2,))
    assert NASNET_B.normal.state_names[:5] == (
        "state_0",
        "state_1",
        "state_2",
        "state_3",
        "block_0",
    )


def cell(**changes: object) -> dict:
    """Returns a legal cell as JSON data, changed."""
    block = {"left": ["identity", "current"], "right": ["conv_1x1", "previous"], "combine": "add"}
    return {"num_inputs": 2, "num_blocks": 1, "blocks": [block], "concat": ["block_0"]} | changes


def block(**changes: object) -> list[dict]:
    return [{"left": ["identity", 0], "right": ["conv_1x1", 1], "combine": "add"} | changes]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (cell(blocks=block(left=["seperable_5x5", 0])), "block 0, left: unknown operation 'seper"),
        (cell(blocks=block(left=["seperable_5x5", 0])), "did you mean 'separable_5x5'"),
        (cell(blocks=block(right=["identity", 2])), "block 0, right: reads state 2, but only"),
        (cell(blocks=block(right=["identity", "block_0"])), "block 0, right: reads state"),
        (cell(blocks=block(right=["identity", "curent"])), "did you mean 'current'"),
        (cell(blocks=block(right=["identity"])), "block 0, right: expected"),
        (cell(blocks=block(right=["identity", 1.5])), "a state is an index or a name, got 1.5"),
        (cell(blocks=block(left=[["identity"], 0])), "block 0, left: an operation is a name"),
        (cell(blocks=block(combine="ad")), "block 0: unknown combination 'ad'"),
        (cell(blocks=block(extra=1)), "block 0: expected an object with left"),
        (cell(concat=[]), "needs either a concat list"),
        (cell(concat=["block_3"]), "concat: unknown state 'block_3'"),
        (cell(concat=[9]), "concat: no state 9"),
        (cell(concat=[2, 2]), "named twice"),
        (cell(num_blocks=5), "num_blocks is 5, but 1 blocks are listed"),
        (cell(blocks=[], num_blocks=0), "at least one block"),
        (cell(blocks="all"), "needs a list 'blocks'"),
        (cell(num_inputs=3), "2 or 4 inputs"),
        (cell(num_inputs=4.0), "2 or 4 inputs"),
        (cell(cocnat=[2]), "unknown cell key 'cocnat'; did you mean 'concat'"),
        ("sep5", "a cell is a JSON object"),
    ],
)
def test_a_malformed_cell_says_which_block_and_why(data: object, message: str) -> None:
    text = json.dumps({"name": "mine", "normal": data})
    with pytest.raises(ValueError) as error:
        Genotype.from_json(text)
    assert message in str(error.value)
    assert str(error.value).startswith("genotype 'mine', normal cell: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "a genotype is a JSON object"),
        ('{"name": "x"}', "no 'normal' cell"),
        ('{"format": "other", "normal": {}}', "expected format"),
        ('{"name": "", "normal": {}}', "non-empty string"),
        ('{"name": "a/b", "normal": {}}', "no '/'"),
        ('{"nme": "x", "normal": {}}', "did you mean 'name'"),
    ],
)
def test_a_file_that_is_no_genotype_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "cell.json"
    path.write_text(text)
    with pytest.raises(ValueError) as error:
        Genotype.load(path)
    assert message in str(error.value) and str(path) in str(error.value)


def test_slim_lists_must_fit_one_another() -> None:
    with pytest.raises(ValueError, match="two operations and two indices a block"):
        cell_from_slim(["none"] * 3, [0] * 3, [0, 0, 0])
    with pytest.raises(ValueError, match="1 blocks need 3 used_hiddenstates flags, got 2"):
        cell_from_slim(["none", "none"], [0, 1], [1, 0])
    with pytest.raises(ValueError, match="block 0: unknown slim operation 'separable_5x5_3'"):
        cell_from_slim(["separable_5x5_3", "none"], [0, 1], [1, 1, 0])


def test_darts_numbers_the_inputs_the_other_way() -> None:
    darts_v2_normal = [("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("skip_connect", 0)]
    darts_v2_normal += [("dil_conv_3x3", 2)]
    converted = genotype_from_darts((darts_v2_normal, range(2, 4), darts_v2_normal, [0, 2, 3]))
    first, second = converted.normal.blocks
    assert (first.left.input, first.right.input) == (1, 0)
    assert (second.left.operation, second.left.input) == ("identity", 1)
    assert (second.right.operation, second.right.input) == ("dilated_separable_3x3", 2)
    assert converted.normal.concat == (2, 3)
    assert converted.reduction is not None and converted.reduction.concat == (1, 2, 3)
    with pytest.raises(ValueError, match="two operations a block, got 3"):
        cell_from_darts(darts_v2_normal[:3], [2])
    with pytest.raises(ValueError, match="did you mean 'sep_conv_3x3'"):
        cell_from_darts([("sep_cnv_3x3", 0), ("skip_connect", 1)], [2])
    with pytest.raises(ValueError, match="four parts, got 2"):
        genotype_from_darts((darts_v2_normal, [2]))


def test_cells_of_one_genotype_have_as_many_inputs() -> None:
    with pytest.raises(ValueError, match="2 inputs, the reduction cell 4"):
        Genotype("mixed", NASNET_A.normal, NASNET_B.reduction)


def test_unknown_genotype_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'nasnet_a'"):
        get_genotype("nasnet-a")


def test_genotypes_import_only_the_standard_library() -> None:
    import sys

    folder = Path(genotypes.__file__).parent
    shared = ("files", "text")
    # A console and a progress bar are Rich's.
    in_shared = (path for name in shared for path in (folder.parent / name).glob("*.py"))
    others = (
        path for path in in_shared if path.name not in ("plain_console.py", "progress_bar.py")
    )
    for path in [*folder.glob("*.py"), *others]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                own = ("genotypes", "settings", *shared)
                is_own = module.startswith(tuple(f"nasnet_keras.{name}" for name in own))
                assert is_own or module.split(".")[0] in sys.stdlib_module_names, (
                    path.name,
                    module,
                )
