"""The children that no other one beats."""

from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.report.pareto import pareto_front


def test_the_front_is_what_no_other_child_beats_in_both() -> None:
    points = [(0.5, 3), (0.9, 9), (0.6, 3), (0.6, 5), (0.9, 9), (0.7, 7), (0.2, 1), (0.95, None)]
    children = [
        # Rewards do not count where there are accuracies.
        Trained(i, (i,), 1 - accuracy, None, 1.0, {"accuracy": accuracy, "latency_ms": cost})
        for i, (accuracy, cost) in enumerate(points)
    ]
    del children[7].values["latency_ms"]
    assert [child.number for child in pareto_front(children, "latency_ms")] == [6, 2, 5, 1]
    assert pareto_front(children, "parameters") == []
