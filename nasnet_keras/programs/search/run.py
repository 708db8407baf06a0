r"""Searches for the cells or layers of a network; the same command resumes a search.

  nasnet-keras search run --strategy=ppo --dataset_name=digits --budget=40 \
      --run_dir=runs/search --workers=2

Flags override the paper's or the dataset's values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nasnet_keras.classification import Recipe
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.flags import Overrides
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.children import (
    CHILD_FIELDS,
    ChildFlags,
    how_measured,
    make_executor,
    watched,
)
from nasnet_keras.programs.search.outputs import SearchFlags
from nasnet_keras.search.children.rewards import Reward
from nasnet_keras.settings import Count, Positive, Seed


@dataclass(frozen=True, kw_only=True)
class Flags(SearchFlags):
    """What is searched for, and how.

    Attributes:
        strategy: ppo, reinforce, random, evolution or progressive.
        strategy_option: A setting of the strategy, e.g. batch_size=10.
        space: nasnet, pnas or layerwise. Default: pnas for progressive, else nasnet.
        space_option: A setting of the space, e.g. num_blocks=3.
        seed: Seed of the strategy and of the children.
        budget: Children to train in all calls together. Default: until the strategy ends.
        max_hours: Hours to search in all calls together. Default: no limit.
        max_parameters: Maximum parameters of a child.
        max_multiply_adds: Maximum multiply-adds of a child for one image.
        max_latency_ms: Maximum time to predict one image, in milliseconds.
        dataset_name: Dataset of the children.
    """

    strategy: str
    strategy_option: Mapping[str, Any] = field(default_factory=dict)
    space: str | None = None
    space_option: Mapping[str, Any] = field(default_factory=dict)
    seed: Seed = 0
    budget: Count | None = None
    max_hours: Positive | None = None
    max_parameters: Count | None = None
    max_multiply_adds: Count | None = None
    max_latency_ms: Positive | None = None
    dataset_name: str = "cifar10"


def run_search(
    flags: Flags, reward: Reward, overrides: dict[str, Any], child_flags: ChildFlags
) -> None:
    from nasnet_keras.search import get_space, get_strategy
    from nasnet_keras.search.engine.limits import Limits
    from nasnet_keras.search.engine.run_directory import RunDirectory

    space_name = flags.space or ("pnas" if flags.strategy == "progressive" else "nasnet")
    space = get_space(space_name, **flags.space_option)
    limits = Limits(flags.max_parameters, flags.max_multiply_adds, flags.max_latency_ms)
    directory = RunDirectory(flags.run_dir)

    import_keras_quietly()
    from nasnet_keras.search.children.layerwise_child import child_kind
    from nasnet_keras.search.engine.experiment import Experiment

    child = child_kind(space)(
        flags.dataset_name,
        child_flags.dataset_dir,
        overrides,
        child_flags.latency_runs,
        limits,
        reward,
        how_measured(directory),
    )
    child.check(space)
    strategy = get_strategy(flags.strategy, space, flags.seed, **flags.strategy_option)
    with watched(directory) as (say, progress):
        experiment = Experiment(directory, strategy, child.config(), limits, child.costs, say)
        executor = make_executor(child_flags, child)
        experiment.run(executor, flags.budget, progress, flags.max_hours)


PROGRAM = Program(
    run_search, (Flags, Reward, Overrides(Recipe, "the dataset's", CHILD_FIELDS), ChildFlags)
)
