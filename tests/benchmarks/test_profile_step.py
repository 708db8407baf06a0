"""The profile of a step: its kinds add up, and known operations are of their kind."""

import json
import math
from pathlib import Path
from typing import Any

import keras
import pytest

from nasnet_keras.classification.recipe_network import recipe_network_config
from nasnet_keras.classification.recipes import get_recipe
from nasnet_keras.models.complexity import count_multiply_adds

BACKEND = keras.backend.backend()
BATCH, CLASSES = 3, 5
DEPTHWISE = ("depthwise forward", "depthwise by input", "depthwise by kernel")


@pytest.fixture(scope="module")
def recipe() -> Any:
    changes = {"num_cells": 2, "filters": 8, "stem_filters": 8, "train_image_size": 16}
    return get_recipe("nasnet_cifar").override(
        optimizer="rmsprop", moving_average_decay=0.999, auxiliary_weight=0.0, **changes
    )


@pytest.fixture(scope="module")
def programs(recipe: Any, benchmarks: Path) -> dict[str, Any]:
    """Training and inference of a small network, with their rows."""
    if BACKEND not in ("tensorflow", "jax"):
        pytest.skip("profiles are of TensorFlow and JAX")
    import profile_step
    from recipe_step import compiled_network, random_batch

    model = compiled_network(recipe, CLASSES)
    data = random_batch(recipe, CLASSES, BATCH)
    rates = {"gemm": 1e9, "bandwidth": 1e8}
    result = {}
    for work, make in (("training", profile_step.training), ("inference", profile_step.inference)):
        rows = profile_step.profiled(make(model, data), work, 2, rates)
        result[work] = {row["kind"]: row for row in rows}
    return result


@pytest.mark.parametrize("work", ["training", "inference"])
def test_kinds_add_up_to_the_step(programs: Any, work: str) -> None:
    *kinds, whole = programs[work].values()
    assert whole["kind"] == "all" and whole["fraction"] == pytest.approx(1)
    for name in ("seconds", "flops", "accessed_bytes", "bound_seconds"):
        assert whole[name] == pytest.approx(math.fsum(row[name] for row in kinds)) and whole[name]
    for row in kinds:
        assert row["bound_seconds"] == max(row["flops"] / 1e9, row["accessed_bytes"] / 1e8)


def test_every_multiply_add_is_of_its_kind(programs: Any, recipe: Any) -> None:
    config = recipe_network_config(recipe, drop_path_total_steps=1)
    adds = count_multiply_adds(config, (16, 16, 3), CLASSES)
    inference = programs["inference"]
    assert inference["all"]["flops"] == 2.0 * adds * BATCH
    assert inference["other convolutions"]["flops"] == 2.0 * 16 * 16 * 9 * 3 * 8 * BATCH
    training = programs["training"]
    forward, *gradients = (training[kind]["flops"] for kind in DEPTHWISE)
    assert forward == inference["depthwise forward"]["flops"] > 0
    assert gradients[1] == forward
    # A convolution's gradient by its input has two products as well; the image needs none.
    for kind, times in (("convolutions 1x1", 3), ("dense layers", 3), ("other convolutions", 2)):
        assert training[kind]["flops"] == times * inference[kind]["flops"]


def test_what_trains_is_told_from_the_network(programs: Any) -> None:
    of_training = {"optimizer", "averages", "L2", "clipping", "losses and metrics"}
    shared = {"batch normalization", "ReLU", "pools", "concatenation", "host", *DEPTHWISE[:1]}
    assert of_training | shared | set(DEPTHWISE) <= set(programs["training"])
    assert shared <= set(programs["inference"]) and not of_training & set(programs["inference"])
    ran = [kind for kind, row in programs["training"].items() if row["seconds"] > 0]
    assert of_training | shared | set(DEPTHWISE) <= set(ran)
    known = programs["training"]["other"]["accessed_bytes"]
    assert known < 0.05 * programs["training"]["all"]["accessed_bytes"]


def test_an_instant_is_divided_between_what_runs_in_it(benchmarks: Path) -> None:
    from profiling.timeline import Interval, Profile, time_by_name

    steps = [Interval(0, 9e9, "step"), Interval(10e9, 18e9, "step")]
    operations = [
        Interval(8e9, 11e9, "a"),
        Interval(12e9, 16e9, "a"),
        Interval(14e9, 15e9, "b"),
        Interval(14e9, 19e9, "b"),
    ]
    seconds = time_by_name(Profile(steps, operations), "nothing")
    # The second step is the shorter one.
    assert seconds == pytest.approx({"a": 3 + 1 / 3 + 1 / 2, "b": 2 / 3 + 1 / 2 + 2, "nothing": 1})


HLO = """HloModule jit_step, is_scheduled=true

%fused_bn (p.0: f32[2,4], p.1: f32[2,4]) -> f32[2,4] {
  %p.0 = f32[2,4]{1,0} parameter(0)
  %p.1 = f32[2,4]{1,0} parameter(1)
  %m.1 = f32[2,4]{1,0} multiply(%p.0, %p.1), metadata={op_name="jit(step)/jvp(kind.bn)/mul"}
  %r.1 = f32[] reduce(%p.0), metadata={op_name="jit(step)/jvp(kind.relu)/sum"}
  ROOT %m.2 = f32[2,4]{1,0} maximum(%m.1, %r.1), metadata={op_name="jvp(kind.bn)/kind.relu/max"}
}

%fused_conv (p.2: f32[2,4]) -> f32[1,9,9,8] {
  %p.2 = f32[2,4]{1,0} parameter(0)
  ROOT %c.1 = f32[1,9,9,8]{3,2,1,0} convolution(%p.2, %p.2), window={size=3x3}
}

ENTRY %main (x.1: f32[2,4]) -> (f32[2,4], f32[9]) {
  %x.1 = f32[2,4]{1,0} parameter(0)
  %f.1 = f32[2,4]{1,0} fusion(%x.1, %x.1), kind=kLoop, calls=%fused_bn
  %f.2 = f32[1,9,9,8]{3,2,1,0} fusion(%f.1), kind=kCustom, calls=%fused_conv
  %s.1 = bf16[9]{0} slice(%f.2), metadata={op_name="jit(step)/transpose(jvp(kind.depthwise))/conv"}
  %g.1 = f32[2,4]{1,0} convolution(%x.1, %x.1), feature_group_count=4, \
metadata={op_name="transpose(jvp(kind.depthwise))/conv"}
  ROOT %t.1 = (f32[2,4]{1,0}, bf16[9]{0}) tuple(%f.1, %s.1)
}
"""


def test_fusions_are_divided_and_nameless_convolutions_found(benchmarks: Path) -> None:
    from profiling.hlo import Program

    program = Program(HLO)
    assert program.entry() == ["x.1", "f.1", "f.2", "s.1", "g.1", "t.1"]
    assert program.kinds("f.1") == pytest.approx({"batch normalization": 8 / 17, "ReLU": 9 / 17})
    assert program.kinds("f.2") == {"depthwise by kernel": 1.0}
    assert program.kinds("g.1") == {"depthwise by input": 1.0}
    assert program.accessed_bytes("s.1") == 9 * 2 + 9 * 9 * 8 * 4
    assert program.accessed_bytes("t.1") == 0


def test_the_table_names_kinds_and_rates(programs: Any) -> None:
    import profile_step

    rows = [dict(row) for row in programs["inference"].values()]
    assert json.loads(json.dumps(rows)) == rows
    table = profile_step.markdown(rows)
    assert table[0] == "GEMM rate 1 GFLOP/s, bandwidth 0.1 GB/s"
    assert sum("| depthwise forward |" in line for line in table) == 1
    assert table[-1].startswith("| inference | all |") and "| 100.0% |" in table[-1]
