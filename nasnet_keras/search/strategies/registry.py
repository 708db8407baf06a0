"""Strategies by name."""

from __future__ import annotations

import dataclasses
from typing import Any

from nasnet_keras.search.spaces.space import Space
from nasnet_keras.search.strategies.evolution import RegularizedEvolution
from nasnet_keras.search.strategies.policy_search import PolicySearch
from nasnet_keras.search.strategies.policy_settings import PPO, REINFORCE
from nasnet_keras.search.strategies.progressive import Progressive
from nasnet_keras.search.strategies.random_search import RandomSearch
from nasnet_keras.search.strategies.strategy import Strategy
from nasnet_keras.search.strategies.surrogate_settings import MLP_ENSEMBLE, SurrogateSettings
from nasnet_keras.settings import hints
from nasnet_keras.text.suggestions import unknown_name

_POLICIES = {"ppo": PPO, "reinforce": REINFORCE}
_OPTIONS: dict[str, tuple[str, ...]] = {
    "random": (),
    "evolution": ("population_size", "sample_size"),
    **{
        name: tuple(field for field in hints(type(settings)) if field != "algorithm")
        for name, settings in _POLICIES.items()
    },
    "progressive": ("beam_size", "quorum", *hints(SurrogateSettings)),
}


def list_strategies() -> list[str]:
    """Returns the names of the strategies."""
    return sorted(_OPTIONS)


def get_strategy(name: str, space: Space, seed: int = 0, **options: Any) -> Strategy:
    """Returns a strategy by name.

    Args:
        name: A name of `list_strategies()`.
        space: The search space.
        seed: Seed of everything random in the strategy.
        **options: Changes to the papers' settings: for `"ppo"` and `"reinforce"` the fields of
            `PolicySettings`; for `"evolution"` `population_size` and `sample_size`; for
            `"progressive"` `beam_size`, `quorum` and the fields of `SurrogateSettings`.

    Raises:
        ValueError: The name or an option is unknown, or a value is out of range.
    """
    if name not in _OPTIONS:
        raise ValueError(unknown_name("strategy", name, list_strategies()))
    for option in options:
        if option not in _OPTIONS[name]:
            if not _OPTIONS[name]:
                raise ValueError(f"strategy {name!r} has no options, got {option!r}")
            raise ValueError(unknown_name(f"option of strategy {name!r}", option, _OPTIONS[name]))
    if name in _POLICIES:
        return PolicySearch(space, seed, dataclasses.replace(_POLICIES[name], **options))
    if name == "progressive":
        own = {key: options.pop(key) for key in ("beam_size", "quorum") if key in options}
        surrogate = dataclasses.replace(MLP_ENSEMBLE, **options)
        return Progressive(space, seed, surrogate=surrogate, **own)
    return {"random": RandomSearch, "evolution": RegularizedEvolution}[name](space, seed, **options)
