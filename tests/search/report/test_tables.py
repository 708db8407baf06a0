"""A search's results in rows and columns."""

from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.report.tables import ranking


def test_every_cost_has_a_column_and_a_unit() -> None:
    values = {"parameters": 3303274, "latency_ms": 12.3456}
    children = [Trained(4, (0,), 0.5, None, 61.0, values), Trained(1, (0,), 0.25, None, 2.0, {})]
    table = ranking(children)
    assert table.headings == ("rank", "child", "accuracy", "parameters", "latency, ms", "time")
    assert table.rows == [
        ("1", "4", "0.5000", "3,303,274", "12.3456", "1 min 1 s"),
        ("2", "1", "0.2500", "", "", "2 s"),
    ]
