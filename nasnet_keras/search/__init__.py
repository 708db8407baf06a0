"""Search spaces and strategies: architectures out, rewards in.

Neither touches disks, devices or processes. What needs Keras (controllers, surrogates) loads it
when a strategy is made.
"""

import warnings
from typing import Any

from nasnet_keras import genotypes
from nasnet_keras.search.spaces.categorical_space import CategoricalSpace
from nasnet_keras.search.spaces.layerwise_space import LayerwiseSpace
from nasnet_keras.search.spaces.nasnet_space import NASNetSpace
from nasnet_keras.search.spaces.pnas_space import PNAS_OPERATIONS, PNASSpace
from nasnet_keras.search.spaces.registry import get_space, list_spaces
from nasnet_keras.search.spaces.space import Architecture, Decision, Space
from nasnet_keras.search.strategies.evolution import RegularizedEvolution
from nasnet_keras.search.strategies.policy_search import PolicySearch
from nasnet_keras.search.strategies.policy_settings import PPO, REINFORCE, PolicySettings
from nasnet_keras.search.strategies.progressive import Progressive
from nasnet_keras.search.strategies.random_search import RandomSearch
from nasnet_keras.search.strategies.registry import get_strategy, list_strategies
from nasnet_keras.search.strategies.strategy import Proposal, Result, Strategy
from nasnet_keras.search.strategies.surrogate_settings import (
    LSTM,
    LSTM_ENSEMBLE,
    MLP,
    MLP_ENSEMBLE,
    SurrogateSettings,
)

__all__ = [
    "LSTM",
    "LSTM_ENSEMBLE",
    "MLP",
    "MLP_ENSEMBLE",
    "PNAS_OPERATIONS",
    "PPO",
    "REINFORCE",
    "Architecture",
    "CategoricalSpace",
    "Decision",
    "LayerwiseSpace",
    "NASNetSpace",
    "PNASSpace",
    "PolicySearch",
    "PolicySettings",
    "Progressive",
    "Proposal",
    "RandomSearch",
    "RegularizedEvolution",
    "Result",
    "Space",
    "Strategy",
    "SurrogateSettings",
    "get_space",
    "get_strategy",
    "list_spaces",
    "list_strategies",
]

# Names of before, and what they are called now in `nasnet_keras`.
_RENAMED = {"ConvolutionLayer": "ConvolutionLayer", "LayerwiseNetwork": "LayerwiseGenotype"}


def __getattr__(name: str) -> Any:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = _RENAMED[name]
    warnings.warn(
        f"nasnet_keras.search.{name} is nasnet_keras.{new} now, and goes with 0.2",
        DeprecationWarning,
        stacklevel=2,
    )
    # Once: `from ... import` asks twice.
    globals()[name] = getattr(genotypes, new)
    return globals()[name]
