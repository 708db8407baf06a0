"""A cell as data: branches, blocks, the cell and the pair of cells that make a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasnet_keras.genotypes.network_genotype import NetworkGenotype
from nasnet_keras.genotypes.operation_table import COMBINERS, OPERATIONS
from nasnet_keras.text.suggestions import unknown_name

MOST_BLOCKS = 100
"""Blocks of a cell; published ones have up to seven."""


@dataclass(frozen=True)
class Branch:
    """One half of a block: an operation and the state that it reads.

    Attributes:
        operation: A name of `OPERATIONS`.
        input: The state read, by slim's index (0 = h_i, 1 = h_{i-1}, then blocks in order) or by
            name (`"current"`, `"previous"`, `"state_0"`..., `"block_0"`...). A `CellGenotype` turns
            names into indices.
    """

    operation: str
    input: int | str


@dataclass(frozen=True)
class Block:
    """Two branches and how they are joined.

    Attributes:
        left: First branch.
        right: Second branch.
        combine: `"add"`, `"concat"`, `"add_layer_norm"` or `"add_instance_norm"`.
    """

    left: Branch
    right: Branch
    combine: str = "add"

    @property
    def branches(self) -> tuple[Branch, Branch]:
        """Both halves, left first."""
        return self.left, self.right


@dataclass(frozen=True)
class CellGenotype:
    """One cell: its blocks and what leaves it.

    Attributes:
        blocks: The blocks in order; a block may read the cell's inputs and every earlier block.
        concat: States that are concatenated to make the output, by index or name. It is data, not
            "the unused ones": NASNet-A's released lists differ from the paper's figure.
        states: For cells with several outputs (NASNet-B): the states that go on, one for each
            input, instead of `concat`.
        num_inputs: 2 (h_i and h_{i-1}) or 4 (NASNet-B's h_0..h_3).

    Raises:
        ValueError: An operation or combiner is unknown, a branch reads itself or a later block, the
            output is empty or names a state that does not exist. The message names the block. Or
            there are more than `MOST_BLOCKS`.
    """

    blocks: tuple[Block, ...]
    concat: tuple[int | str, ...] = ()
    states: tuple[int | str, ...] = ()
    num_inputs: int = 2

    def __post_init__(self) -> None:
        if not isinstance(self.num_inputs, int) or self.num_inputs not in (2, 4):
            raise ValueError(f"a cell has 2 or 4 inputs, got num_inputs={self.num_inputs!r}")
        if not self.blocks:
            raise ValueError("a cell has at least one block, got none")
        if len(self.blocks) > MOST_BLOCKS:
            raise ValueError(f"a cell has at most {MOST_BLOCKS} blocks, got {len(self.blocks):,}")
        blocks = tuple(self._resolve_block(i, block) for i, block in enumerate(self.blocks))
        object.__setattr__(self, "blocks", blocks)
        object.__setattr__(self, "concat", self._resolve_outputs("concat", self.concat))
        object.__setattr__(self, "states", self._resolve_outputs("states", self.states))
        if bool(self.concat) == bool(self.states):
            raise ValueError(
                "a cell needs either a concat list or a list of states that go on, got "
                f"concat={list(self.concat)} and states={list(self.states)}"
            )
        if self.states and len(self.states) != self.num_inputs:
            raise ValueError(
                f"a cell with {self.num_inputs} inputs passes on {self.num_inputs} states, got "
                f"states={list(self.states)}"
            )
        if self.num_inputs != 2 and not self.states:
            raise ValueError("a cell with 4 inputs passes on 4 states, got a concat list")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The name of every state, in the order of slim's indices."""
        if self.num_inputs == 2:
            inputs = ("current", "previous")
        else:
            inputs = tuple(f"state_{i}" for i in range(self.num_inputs))
        return inputs + tuple(f"block_{i}" for i in range(len(self.blocks)))

    @property
    def outputs(self) -> tuple[int, ...]:
        """Indices of the states that leave the cell, concatenated or as they are."""
        return tuple(int(i) for i in self.concat or self.states)

    def _index(self, state: int | str, where: str) -> int:
        names = self.state_names
        if isinstance(state, str):
            if state not in names:
                raise ValueError(f"{where}: {unknown_name('state', state, names)}")
            return names.index(state)
        if isinstance(state, bool) or not isinstance(state, int):
            raise ValueError(f"{where}: a state is an index or a name, got {state!r}")
        return state

    def _resolve_block(self, number: int, block: Block) -> Block:
        if not isinstance(block.combine, str) or block.combine not in COMBINERS:
            message = unknown_name("combination", block.combine, COMBINERS)
            raise ValueError(f"block {number}: {message}")
        available = self.num_inputs + number
        resolved = {}
        for side, branch in (("left", block.left), ("right", block.right)):
            where = f"block {number}, {side}"
            if not isinstance(branch.operation, str):
                raise ValueError(f"{where}: an operation is a name, got {branch.operation!r}")
            if branch.operation not in OPERATIONS:
                message = unknown_name("operation", branch.operation, OPERATIONS)
                raise ValueError(f"{where}: {message}")
            index = self._index(branch.input, where)
            if not 0 <= index < available:
                raise ValueError(
                    f"{where}: reads state {branch.input!r}, but only states 0 to {available - 1} "
                    f"(the cell's inputs and earlier blocks) exist there"
                )
            resolved[side] = Branch(branch.operation, index)
        return Block(resolved["left"], resolved["right"], block.combine)

    def _resolve_outputs(self, field: str, outputs: Sequence[int | str]) -> tuple[int, ...]:
        total = self.num_inputs + len(self.blocks)
        indices = tuple(self._index(state, field) for state in outputs)
        for index in indices:
            if not 0 <= index < total:
                raise ValueError(f"{field}: no state {index} (states are 0 to {total - 1})")
        if len(set(indices)) != len(indices):
            raise ValueError(f"{field}: a state is named twice in {list(outputs)}")
        return indices

    def to_dict(self) -> dict[str, Any]:
        """Returns the cell as JSON-ready lists and dictionaries, states by name."""
        names = self.state_names
        result: dict[str, Any] = {
            "num_inputs": self.num_inputs,
            "num_blocks": len(self.blocks),
            "blocks": [
                {
                    "left": [block.left.operation, names[int(block.left.input)]],
                    "right": [block.right.operation, names[int(block.right.input)]],
                    "combine": block.combine,
                }
                for block in self.blocks
            ],
        }
        key = "concat" if self.concat else "states"
        result[key] = [names[i] for i in self.outputs]
        return result

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CellGenotype:
        """Reads what `to_dict` wrote; states may be names or slim's indices.

        Raises:
            ValueError: A key is missing or unknown, or the cell is malformed.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"a cell is a JSON object, got {type(data).__name__}")
        known = ("num_inputs", "num_blocks", "blocks", "concat", "states")
        for key in data:
            if key not in known:
                raise ValueError(unknown_name("cell key", key, known))
        entries = data.get("blocks")
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise ValueError("a cell needs a list 'blocks'")
        blocks = tuple(_block_from_dict(i, entry) for i, entry in enumerate(entries))
        expected = data.get("num_blocks", len(blocks))
        if expected != len(blocks):
            raise ValueError(f"num_blocks is {expected!r}, but {len(blocks)} blocks are listed")
        outputs: dict[str, Any] = {}
        for key in ("concat", "states"):
            value = data.get(key, ())
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise ValueError(f"{key} is a list of states, got {value!r}")
            outputs[key] = tuple(value)
        return cls(blocks, num_inputs=data.get("num_inputs", 2), **outputs)


@dataclass(frozen=True)
class Genotype(NetworkGenotype):
    """The cells of a network.

    Attributes:
        name: A short name, used in messages and files.
        normal: The cell that keeps the resolution.
        reduction: The cell that halves it; `None` where the normal cell is used with stride 2
            (PNASNet).

    Raises:
        ValueError: The two cells have different numbers of inputs.
    """

    json_format = "nasnet_keras.genotype"
    json_keys = ("normal", "reduction")

    name: str
    normal: CellGenotype
    reduction: CellGenotype | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reduction and self.reduction.num_inputs != self.normal.num_inputs:
            raise ValueError(
                f"genotype {self.name!r}: the normal cell has {self.normal.num_inputs} inputs, the "
                f"reduction cell {self.reduction.num_inputs}"
            )

    def _parts(self) -> dict[str, Any]:
        return {
            "normal": self.normal.to_dict(),
            "reduction": self.reduction.to_dict() if self.reduction else None,
        }

    @classmethod
    def _from_parts(cls, name: str, data: Mapping[str, Any]) -> Genotype:
        if data.get("normal") is None:
            raise ValueError(f"genotype {name!r} has no 'normal' cell")
        cells = {}
        for kind in cls.json_keys:
            entry = data.get(kind)
            try:
                cells[kind] = None if entry is None else CellGenotype.from_dict(entry)
            except ValueError as error:
                raise ValueError(f"genotype {name!r}, {kind} cell: {error}") from None
        return cls(name, cells["normal"], cells["reduction"])


def _block_from_dict(number: int, entry: Any) -> Block:
    known = ("left", "right", "combine")
    if not isinstance(entry, Mapping) or any(key not in known for key in entry):
        raise ValueError(
            f"block {number}: expected an object with left, right, combine, got {entry!r}"
        )
    branches = {}
    for side in ("left", "right"):
        pair = entry.get(side)
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            raise ValueError(f"block {number}, {side}: expected [operation, state], got {pair!r}")
        operation, state = pair
        branches[side] = Branch(operation, state)
    return Block(**branches, combine=entry.get("combine", "add"))
