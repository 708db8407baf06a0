"""How long does progressive search think? The paper's search without the training of its children.

Every level of `--num_blocks` is proposed and answered with made-up accuracies. The call that begins
a level fits the surrogate to all cells so far and puts every extension of the beam in order; its
time is shared out over the children of the level. On a machine with other work, the processor's
time with OPENBLAS_NUM_THREADS=1 tells more than the wall's.

    python benchmarks/progressive_proposals.py [--surrogates=mlp-ensemble,...] [--num_blocks=5]
        [--beam_size=256] [--output=proposals.json]
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from absl import flags
from measurement import check_output, write_json
from studies import SURROGATES

from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.text.suggestions import unknown_name

_SURROGATES = flags.DEFINE_list("surrogates", list(SURROGATES), "What to measure.")
_NUM_BLOCKS = flags.DEFINE_integer("num_blocks", 5, "B of the paper.", lower_bound=1)
_BEAM_SIZE = flags.DEFINE_integer("beam_size", 256, "K of the paper.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")


def main(_: list[str]) -> None:
    for name in _SURROGATES.value:
        if name not in SURROGATES:
            raise ValueError(unknown_name("surrogate", name, SURROGATES))
    check_output(_OUTPUT.value)
    import_keras_quietly()
    rows: list[dict[str, Any]] = []
    for name in _SURROGATES.value:
        rows += measure(name)
        if _OUTPUT.value:
            write_json(_OUTPUT.value, rows)


def measure(name: str) -> list[dict[str, Any]]:
    from nasnet_keras.search import Progressive, Result, get_space

    space = get_space("pnas", num_blocks=_NUM_BLOCKS.value)
    strategy = Progressive(space, beam_size=_BEAM_SIZE.value, surrogate=SURROGATES[name])
    rows: list[dict[str, Any]] = []
    while True:
        began, processor = time.perf_counter(), time.process_time()
        proposals = strategy.ask(_BEAM_SIZE.value)
        seconds = time.perf_counter() - began
        processor = time.process_time() - processor
        if not proposals:
            return rows
        rows.append(
            {
                "surrogate": name,
                "blocks": len(proposals[0].architecture) // 4,
                "proposals": len(proposals),
                "seconds": seconds,
                "milliseconds a proposal": 1000 * seconds / len(proposals),
                "milliseconds of processor": 1000 * processor / len(proposals),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
        strategy.tell([Result(p.number, made_up(p.architecture)) for p in proposals])


def made_up(architecture: tuple[int, ...]) -> float:
    """Returns an accuracy that is the same each time and tells nothing."""
    return hashlib.sha256(bytes(architecture)).digest()[0] / 255


if __name__ == "__main__":
    run(main)
