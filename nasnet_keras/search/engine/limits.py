"""What an architecture may cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from nasnet_keras.settings import Count, Positive, Settings


@dataclass(frozen=True)
class Limits(Settings):
    """Bounds on an architecture; those of cost are checked before its training begins.

    Attributes:
        max_parameters: Of the network that is trained.
        max_multiply_adds: Of one image's way through it.
        max_latency_ms: Of a prediction of one image, on the machine that trains it.

    Raises:
        ValueError: A limit is not above 0.
    """

    max_parameters: Count | None = None
    max_multiply_adds: Count | None = None
    max_latency_ms: Positive | None = None

    @property
    def before_training(self) -> bool:
        """Whether an architecture's cost is to be counted before it is trained."""
        return self.max_parameters is not None or self.max_multiply_adds is not None

    def violation(self, values: Mapping[str, float]) -> str | None:
        """Returns which limit is exceeded, `None` if none of those that `values` has is.

        Args:
            values: `parameters`, `multiply_adds` and `latency_ms`, as far as they are known.
        """
        for field in dataclasses.fields(self):
            limit, value = getattr(self, field.name), values.get(field.name.removeprefix("max_"))
            if limit is not None and value is not None and value > limit:
                return f"{field.name}={limit:g} is below its {value:g}"
        return None

    def __str__(self) -> str:
        given = {name: value for name, value in dataclasses.asdict(self).items() if value}
        return ", ".join(f"{name}={value:g}" for name, value in given.items()) or "no limit"
