"""XLA's compiled program as text: its instructions, their kinds and the bytes they pass over."""

from __future__ import annotations

import math
import re
from collections import defaultdict, deque
from dataclasses import dataclass, field

from profiling.kinds import BY_INPUT, BY_KERNEL, FORWARD, OTHER, SUMS, kind_of

_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?([\w.-]+) = (.*)$")
_OPCODE = re.compile(r"^([\w-]+)\(")
_TENSOR = re.compile(r"([a-z]+)(\d*)\w*\[([\d,]*)\]")
_CALLED = re.compile(r"(?:calls|to_apply|body)=%?([\w.-]+)")
_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.-]+) .*\{$")
_OP_NAME = re.compile(r'op_name="([^"]*)"')
# They pass on what they are given.
_FREE = ("bitcast", "constant", "get-tuple-element", "parameter", "tuple", "while", "call")
_BACKWARD = "transpose("


@dataclass
class Instruction:
    """An instruction of any computation.

    Attributes:
        opcode: XLA's word for it.
        shape: Of what it gives, as text.
        operands: Names of instructions of the same computation.
        rest: All that is said of it besides.
        op_name: The scopes it was traced in.
        called: The computation inside it, or none.
    """

    opcode: str
    shape: str
    operands: list[str]
    rest: str
    op_name: str
    called: str | None
    users: list[str] = field(default_factory=list)


class Program:
    """A compiled program.

    Args:
        text: What JAX's `compiled.as_text()` gives.
    """

    def __init__(self, text: str) -> None:
        self.computations: dict[str, dict[str, Instruction]] = {}
        current: dict[str, Instruction] = {}
        for line in text.splitlines():
            if found := _COMPUTATION.match(line):
                current = self.computations.setdefault(found[1], {})
            elif (found := _INSTRUCTION.match(line)) and (parsed := _parse(found[2])):
                current[found[1]] = parsed
        # Names are those of events: unique in a program, but for what is inside a fusion.
        self.instructions: dict[str, Instruction] = {}
        for instructions in self.computations.values():
            self.instructions.update(instructions)
            for name, instruction in instructions.items():
                for operand in instruction.operands:
                    if operand in instructions:
                        instructions[operand].users.append(name)

    def kinds(self, name: str) -> dict[str, float]:
        """Returns the kinds of an instruction and their fractions of it, which add up to 1.

        A fusion that has a convolution or matrix product is of its kind. Any other is divided by
        the elements that its instructions of each kind compute.
        """
        instruction = self.instructions.get(name)
        if instruction is None:
            return {OTHER: 1.0}
        inside = list(self._inside(instruction))
        products = [each for each in inside if each.opcode in ("convolution", "dot")]
        if products or not inside:
            inside = products
        elements: dict[str, float] = defaultdict(float)
        for each in inside:
            kind = kind_of(each.op_name)
            if kind:
                elements[_resolved(kind, each, products)] += _elements(each.shape)
            elif each.opcode == "add" and "add" in each.op_name.rpartition("/")[2]:
                elements[SUMS] += _elements(each.shape)
        if not elements:
            kind, op_name = self._nearest(name)
            named = Instruction("", "", [], instruction.rest, op_name, None)
            return {_resolved(kind, named, [instruction, *products]) if kind else OTHER: 1.0}
        total = sum(elements.values())
        return {kind: count / total for kind, count in elements.items()}

    def accessed_bytes(self, name: str) -> float:
        """Returns the bytes of what an instruction reads and writes."""
        instruction = self.instructions[name]
        if instruction.opcode in _FREE:
            return 0.0
        read = (self.instructions.get(each) for each in instruction.operands)
        return _bytes(instruction.shape) + sum(_bytes(each.shape) for each in read if each)

    def entry(self) -> list[str]:
        """Returns the names of the instructions of the last computation, which is the program."""
        return list(next(reversed(self.computations.values())))

    def _inside(self, instruction: Instruction) -> list[Instruction]:
        if instruction.called is None:
            return [instruction]
        result = []
        for each in self.computations.get(instruction.called, {}).values():
            if each.called or each.opcode not in _FREE:
                result += self._inside(each)
        return result

    def _nearest(self, name: str) -> tuple[str | None, str]:
        """Returns kind and scopes of what uses an instruction that has no name of its own.

        XLA's rewriting of a convolution drops names.
        """
        waiting, seen = deque([name]), {name}
        while waiting and len(seen) < 50:
            instruction = self.instructions[waiting.popleft()]
            for each in (instruction, *self._inside(instruction)):
                kind = kind_of(each.op_name)
                if kind:
                    return kind, each.op_name
            following = [user for user in instruction.users if user not in seen]
            seen.update(following)
            waiting.extend(following)
        return None, ""


def _resolved(kind: str, instruction: Instruction, products: list[Instruction]) -> str:
    """Tells the parts of a depthwise convolution, which have one name, from each other."""
    if kind != FORWARD or _BACKWARD not in instruction.op_name:
        return kind
    text = instruction.rest + "".join(each.rest for each in products)
    # The kernel's gradient has a group of images, or none, for each channel.
    is_by_input = "convBackwardInput" in text or re.search(r"feature_group_count=(?!1\b)", text)
    return BY_INPUT if is_by_input and "convBackwardFilter" not in text else BY_KERNEL


def _parse(text: str) -> Instruction | None:
    end = _closing(text, 0) + 1 if text.startswith("(") else text.find(" ")
    shape, rest = text[:end], text[end:].lstrip()
    found = _OPCODE.match(rest)
    if not found:
        return None
    opened = len(found[0]) - 1
    closed = _closing(rest, opened)
    called = _CALLED.search(rest, closed)
    op_name = _OP_NAME.search(rest, closed)
    return Instruction(
        opcode=found[1],
        shape=shape,
        operands=re.findall(r"%([\w.-]+)", rest[opened:closed]),
        rest=rest[closed:],
        op_name=op_name[1] if op_name else "",
        called=called[1] if called else None,
    )


def _closing(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return len(text) - 1


def _sizes(shape: str) -> list[tuple[float, float]]:
    """Returns elements and bytes of an element of each tensor in a shape."""
    found = []
    for letters, bits, sides in _TENSOR.findall(shape):
        count = math.prod(int(side) for side in sides.split(",") if side)
        found.append((float(count), 1.0 if letters == "pred" else int(bits or 0) / 8))
    return found


def _elements(shape: str) -> float:
    return sum(count for count, _ in _sizes(shape))


def _bytes(shape: str) -> float:
    return sum(count * size for count, size in _sizes(shape))
