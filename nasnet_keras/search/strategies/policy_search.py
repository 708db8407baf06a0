"""Policy search: a controller that is rewarded for what it proposes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nasnet_keras.search.spaces.space import Architecture, Space
from nasnet_keras.search.strategies.controller_sampling import unroll
from nasnet_keras.search.strategies.policy_settings import PPO, PolicySettings
from nasnet_keras.search.strategies.strategy import Strategy


class _Sample(NamedTuple):
    """A result that waits for an update; `log_probabilities` are those of sampling."""

    number: int
    architecture: Architecture
    log_probabilities: np.ndarray
    reward: float


class PolicySearch(Strategy):
    """NASNet's search: an LSTM controller trained by PPO, or by REINFORCE as in the first NAS.

    The controller is updated with every `batch_size` results that arrive, in the order of their
    numbers. Each proposal keeps its log-probabilities of sampling, so PPO weights late results by
    their true ratio.

    The advantage is the reward minus the moving average of the rewards of earlier updates, with its
    bias towards zero removed; the first update uses the mean of its own rewards. Failed children
    are ignored.

    Args:
        space: The search space.
        seed: Seed of the initial weights and of the proposals.
        settings: The controller and its update: `PPO`, `REINFORCE`, or a changed copy of these.

    Raises:
        ValueError: The seed is out of range.
    """

    def __init__(self, space: Space, seed: int = 0, settings: PolicySettings = PPO) -> None:
        super().__init__(space, seed)
        # Imported here, so that other strategies do not wait for Keras.
        import keras

        from nasnet_keras.search.strategies.controller import Controller
        from nasnet_keras.search.strategies.policy_losses import ppo_loss, reinforce_loss

        self.name = settings.algorithm
        self.policy_settings = settings
        self.controller = Controller(
            space.decisions,
            settings.units,
            settings.embedding_size,
            settings.initial_scale,
            seed,
            name="controller",
        )
        if settings.algorithm == "ppo":
            loss = ppo_loss(settings.clip, settings.entropy_weight, settings.per_decision)
        else:
            loss = reinforce_loss(settings.entropy_weight)
        self.controller.compile(
            keras.optimizers.Adam(settings.learning_rate),
            loss=loss,
            # TensorFlow's graph of so small a network starts faster without XLA.
            jit_compile=keras.backend.backend() == "jax",
        )
        self.controller.optimizer.build(self.controller.trainable_variables)
        self._log_probabilities: dict[int, np.ndarray] = {}
        self._batch: list[_Sample] = []
        self._num_rewards = 0
        self._average = 0.0
        self._named_weights = self.controller.named_weights()
        self._drawn: tuple[int, np.ndarray, np.ndarray] | None = None

    def settings(self) -> dict[str, Any]:
        return self.policy_settings.to_dict()

    @property
    def baseline(self) -> float | None:
        """The moving average of the rewards of past updates; `None` before the first."""
        decay = self.policy_settings.baseline_decay
        if not self._num_rewards:
            return None
        return self._average / (1.0 - decay**self._num_rewards)

    def _propose(self, number: int) -> Architecture:
        # A full batch is drawn at once, with one row for each number, so that a proposal does not
        # depend, even in its last bit, on how many are asked for together.
        rows = self.policy_settings.batch_size
        first = number - number % rows
        if self._drawn is None or self._drawn[0] != first:
            length = self.space.num_decisions(first + rows - 1)
            uniforms = np.stack([self._generator(first + i).random(length) for i in range(rows)])
            decisions, log_probabilities, _ = unroll(
                self._named_weights, self.controller.tables, uniforms=uniforms
            )
            self._drawn = first, decisions, log_probabilities
        _, decisions, log_probabilities = self._drawn
        # Networks may grow within a batch; what was drawn beyond the shorter ones is not used.
        row, length = number - first, self.space.num_decisions(number)
        self._log_probabilities[number] = log_probabilities[row, :length].copy()
        return tuple(decisions[row, :length].tolist())

    def _learn(self, number: int, architecture: Architecture, reward: float | None) -> None:
        log_probabilities = self._log_probabilities.pop(number)
        if reward is None:
            return
        self._batch.append(_Sample(number, architecture, log_probabilities, reward))
        if len(self._batch) == self.policy_settings.batch_size:
            self._update()

    def _update(self) -> None:
        settings = self.policy_settings
        batch = sorted(self._batch, key=lambda sample: sample.number)
        self._batch = []
        rewards = np.array([sample.reward for sample in batch])
        rewards = np.sign(rewards) * np.abs(rewards) ** settings.reward_exponent
        baseline = self.baseline
        advantages = rewards - (rewards.mean() if baseline is None else baseline)
        for reward in rewards.tolist():
            self._average += (1.0 - settings.baseline_decay) * (reward - self._average)
            self._num_rewards += 1
        # Where networks have just grown, those of each size are a step of their own.
        lengths = np.array([len(sample.architecture) for sample in batch])
        for length in sorted(set(lengths.tolist())):
            chosen = [sample for sample in batch if len(sample.architecture) == length]
            self._step(chosen, advantages[lengths == length])
        self._weights_changed()

    def _step(self, samples: list[_Sample], advantages: np.ndarray) -> None:
        """Trains the controller on architectures of one size."""
        architectures = np.array([sample.architecture for sample in samples], "int32")
        old = np.stack([sample.log_probabilities for sample in samples])
        targets = np.stack([old, np.broadcast_to(advantages[:, None], old.shape)], axis=-1)
        for _ in range(self.policy_settings.epochs):
            self.controller.train_on_batch(architectures, targets.astype("float32"))

    def _weights_changed(self) -> None:
        self._named_weights = self.controller.named_weights()
        self._drawn = None

    def state_dict(self) -> dict[str, Any]:
        kept = [*self._log_probabilities.values(), *(s.log_probabilities for s in self._batch)]
        rows = np.zeros((len(kept), len(self.space.decisions)))
        for row, values in zip(rows, kept, strict=True):
            row[: len(values)] = values
        state = {
            **super().state_dict(),
            "batch": [[s.number, list(s.architecture), s.reward] for s in self._batch],
            # Those of the pending proposals, in their order, then those of the batch; zeros behind
            # shorter ones.
            "log_probabilities": rows,
            "num_rewards": self._num_rewards,
            "average": self._average,
        }
        for i, value in enumerate(self.controller.get_weights()):
            state[f"controller_{i}"] = value.copy()
        for i, variable in enumerate(self.controller.optimizer.variables):
            state[f"optimizer_{i}"] = np.array(variable.numpy())
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        kept = np.asarray(state["log_probabilities"], "float64")
        self._log_probabilities = {
            number: kept[i, : len(a)].copy() for i, (number, a) in enumerate(self._pending.items())
        }
        of_batch = kept[len(self._pending) :]
        self._batch = [
            _Sample(int(number), tuple(a), of_batch[i, : len(a)].copy(), float(reward))
            for i, (number, a, reward) in enumerate(state["batch"])
        ]
        self._num_rewards = int(state["num_rewards"])
        self._average = float(state["average"])
        weights = self.controller.get_weights()
        self.controller.set_weights([state[f"controller_{i}"] for i in range(len(weights))])
        for i, variable in enumerate(self.controller.optimizer.variables):
            variable.assign(state[f"optimizer_{i}"])
        self._weights_changed()
