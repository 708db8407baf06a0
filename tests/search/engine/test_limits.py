"""What an architecture may cost."""

import json
from pathlib import Path

from nasnet_keras.search.engine.costs import COSTS
from nasnet_keras.search.engine.limits import Limits
from tests.search.experiments import Workers, events, experiment


def test_limits_are_checked_before_training(tmp_path: Path) -> None:
    costs = lambda choice: {"parameters": 100 * choice["a"], "multiply_adds": choice["b"]}  # noqa: E731
    workers = Workers()
    search = experiment(tmp_path, "random", limits=Limits(100, 2), costs=costs)
    state = search.run(workers, 6)
    assert state.trained == 6 == 2 * 3 and state.rejected > 0
    assert all(j.description["a"] <= 1 and j.description["b"] <= 2 for j in workers.jobs)
    assert "max_parameters=100 is below its" in json.dumps(events(tmp_path, "rejected"))


def test_a_violation_names_the_limit_and_the_cost_with_its_unit() -> None:
    # Memory is weighed against accuracy, and not limited.
    limited = {cost.key for cost in COSTS} - {"peak_bytes"}
    assert {f"max_{key}" for key in limited} == set(Limits().to_dict())
    values = {"parameters": 3303274, "latency_ms": 12.3456}
    limits = Limits(max_parameters=3000000, max_latency_ms=0.5)
    assert limits.violation(values) == "max_parameters=3000000 is below its 3,303,274 parameters"
    assert limits.violation({"latency_ms": 1.25}) == "max_latency_ms=0.5 is below its 1.25 ms"
    assert limits.violation({"parameters": 5, "multiply_adds": 10**9}) is None
    assert str(limits) == "max_parameters=3000000, max_latency_ms=0.5"
    assert str(Limits()) == "no limit"
