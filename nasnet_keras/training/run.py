"""One training run: where it is, how it is carried out and how long it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from nasnet_keras.text.plain_console import say_on
from nasnet_keras.training.distribution import Distribution
from nasnet_keras.training.preemption import StopRequest
from nasnet_keras.training.run_directory import CHECKPOINT_NAME
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.run_options import CommonRunOptions


@dataclass(frozen=True, eq=False)
class Run:
    """What the parts of a training run share.

    Attributes:
        directory: The run directory.
        options: How it is carried out.
        length: How long epochs and run are.
        learning_rate: A number, or a schedule over steps. Callbacks do not ask the optimizer: some
            backends bring its count of steps up to date only when an epoch ends.
        images_per_step: Images in a step, of all replicas together.
        steps_per_execution: Steps between two calls of a callback.
        console: Where progress is printed; a quiet one on workers other than the chief.
        distribution: Where it is trained.
        first_step: Steps done before, in a run that is continued.
        stop: Whether it is told to stop.
    """

    directory: Path
    options: CommonRunOptions
    length: RunLength
    learning_rate: Any
    images_per_step: int
    steps_per_execution: int = 1
    console: Console = field(default_factory=lambda: Console(quiet=True))
    distribution: Distribution = field(default_factory=lambda: Distribution("none"))
    first_step: int = 0
    stop: StopRequest = field(default_factory=StopRequest)

    @property
    def checkpoint(self) -> Path:
        """The last checkpoint."""
        return self.directory / CHECKPOINT_NAME

    def learning_rate_at(self, step: int) -> float:
        """Returns the learning rate after some steps."""
        rate = self.learning_rate
        return float(rate if isinstance(rate, int | float) else rate(step))

    def say(self, text: str) -> None:
        """Prints a line."""
        say_on(self.console, text)
