"""The children that no other child beats both in accuracy and in a cost."""

from __future__ import annotations

from collections.abc import Iterable

from nasnet_keras.search.engine.search_state import Trained


def pareto_front(children: Iterable[Trained], cost: str) -> list[Trained]:
    """Returns the Pareto front of accuracy against a cost, the least cost first.

    Of children with the same accuracy and cost, the first one stands for all; those whose cost is
    not known are left out.

    Args:
        children: Trained children.
        cost: The cost's key, e.g. `"latency_ms"`.
    """
    known = [child for child in children if cost in child.values]
    front: list[Trained] = []
    for child in sorted(known, key=lambda c: (c.values[cost], -c.accuracy, c.number)):
        if not front or child.accuracy > front[-1].accuracy:
            front.append(child)
    return front
