"""Random search: every decision uniform, independent of the results."""

from __future__ import annotations

from nasnet_keras.search.spaces.space import Architecture
from nasnet_keras.search.strategies.strategy import Strategy


class RandomSearch(Strategy):
    """The papers' baseline (Zoph et al. 2018, section 4.4).

    Every softmax of the controller is replaced by the uniform distribution over the same decisions,
    which is not uniform over distinct networks.
    """

    name = "random"

    def _propose(self, number: int) -> Architecture:
        return self.space.sample(self._generator(number))[: self.space.num_decisions(number)]
