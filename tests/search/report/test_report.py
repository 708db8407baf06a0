"""The page on a search, and the cells that come out of one."""

import base64
import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.search import CategoricalSpace, get_space
from nasnet_keras.search.children.rerank import RerankChild, rerank
from nasnet_keras.search.engine.costs import COSTS
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.journal import Journal, read_journal
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.executors.simulated_executor import SimulatedExecutor
from nasnet_keras.search.report import charts as report_charts
from nasnet_keras.search.report.history import read_history, read_reranked, rerank_directory
from nasnet_keras.search.report.report import report_page, write_report
from nasnet_keras.search.report.tables import ranking
from nasnet_keras.search.strategies.listed import Listed
from tests.search.journals import made_up_search
from tests.search.quick_children import quick


class Page(HTMLParser):
    """The rows of a page's tables, its images and every element's name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.images: list[str] = []
        self.tags: list[str] = []
        self.cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.cell = True
        if tag == "img":
            self.images.append(dict(attrs)["src"])

    def handle_endtag(self, tag: str) -> None:
        self.cell = self.cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.cell:
            self.rows[-1][-1] += data


def test_the_page_shows_what_the_journal_says(tmp_path: Path) -> None:
    children = made_up_search(tmp_path / "run", 30, "progressive", predict=True)
    write_report(RunDirectory(tmp_path / "run"), tmp_path / "report.html", count=3)
    text = (tmp_path / "report.html").read_text()
    page = Page(text)
    assert ["children trained", "30"] in page.rows and ["seed", "7"] in page.rows
    order = sorted(range(30), key=lambda i: -children[i][1])
    for rank, number in enumerate(order[:3], 1):
        row = [str(rank), str(number), f"{children[number][1]:.4f}", f"{1000 + number:,}", "2 s"]
        assert row in page.rows
    # Squares rank as what they are squares of.
    assert ["2 blocks", "30", "1.000"] in page.rows
    assert page.tags.count("svg") == 3 and len(page.images) == 3
    for source in page.images:
        assert base64.b64decode(source.removeprefix("data:image/svg+xml;base64,")).endswith(
            b"</svg>\n"
        )
    # Nothing is loaded from elsewhere.
    assert all(s.startswith("data:") for s in re.findall(r"(?:src|href)=\"([^\"]*)", text))


def test_names_cannot_bring_code_into_the_page(tmp_path: Path) -> None:
    made_up_search(tmp_path, 3)
    history = read_history(RunDirectory(tmp_path))
    history.config["child"]["dataset_name"] = history.config["strategy"]["name"] = (
        "</title><script>alert('&')</script>"
    )
    text = report_page(history, [], 1)
    assert "script" not in Page(text).tags and "&lt;script&gt;" in text


def test_a_search_without_predictions_or_rewards(tmp_path: Path) -> None:
    made_up_search(tmp_path / "run", 4, space=get_space("nasnet", num_blocks=2))
    history = read_history(RunDirectory(tmp_path / "run"))
    text = report_page(history, [], 10)
    assert "Spearman" not in text and "The best 4 children" in text
    made_up_search(tmp_path / "none", 0)
    none = read_history(RunDirectory(tmp_path / "none"))
    for call in (
        lambda: write_report(RunDirectory(tmp_path / "none"), tmp_path / "r.html"),
        lambda: none.best(1),
    ):
        with pytest.raises(ValueError, match="none: no child has a reward yet"):
            call()
    with pytest.raises(ValueError, match="there are none so far"):
        none.genotype(3)
    assert not (tmp_path / "r.html").exists()


def test_curves_are_means_of_the_best_so_far() -> None:
    rewards = [0.5, 0.2, 0.9, 0.1, 0.7]
    np.testing.assert_allclose(report_charts.top_means(rewards, 1), [0.5, 0.5, 0.9, 0.9, 0.9])
    np.testing.assert_allclose(
        report_charts.top_means(rewards, 3),
        [np.nan, np.nan, 1.6 / 3, 1.6 / 3, 2.1 / 3],
    )


def test_fractions_of_operations_are_counted_by_period() -> None:
    space = get_space("pnas", num_blocks=2)
    first, second = (0, 0, 3, 3), (0, 1, 3, 4, 0, 2, 5, 5)
    children = [Trained(i, a, 0.5, None, 1.0, {}) for i, a in enumerate((first, first, second))]
    ends, fractions = report_charts.operation_fractions(space, children, periods=2)
    assert ends == [2, 3]
    assert fractions["conv_1x7_7x1"].tolist() == [1.0, 0.25]
    assert fractions["avg_pool_3x3"].tolist() == [0.0, 0.5]
    assert sum(fractions.values()).tolist() == [1.0, 1.0]  # type: ignore[union-attr]
    table = CategoricalSpace("table", {"a": range(3)})
    assert report_charts.operation_fractions(table, children) == ([], {})


def test_rank_correlation_is_spearmans() -> None:
    assert report_charts.rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    assert report_charts.rank_correlation([1, 1, 1], [1, 2, 3]) is None


def test_an_exported_cell_builds_the_network(tmp_path: Path) -> None:
    children = made_up_search(tmp_path / "run", 6)
    history = read_history(RunDirectory(tmp_path / "run"))
    assert history.best(1)[0].number == max(range(6), key=lambda i: children[i][1])
    genotype = history.genotype(2)
    assert genotype == get_space("pnas", num_blocks=2).decode(children[2][0])
    genotype.save(tmp_path / "cell.json")
    loaded = nk.Genotype.load(tmp_path / "cell.json")
    assert loaded == genotype
    model = nk.create_model(
        "pnasnet_cifar", genotype=loaded, num_cells=2, filters=2, input_shape=(16, 16, 3)
    )
    config = nk.get_preset("pnasnet_cifar").config.replace(genotype=genotype)
    config = config.replace(num_cells=2, filters=2)
    assert model.count_params() == nk.count_parameters(config, classes=10)


def test_a_list_is_trained_in_order_and_may_grow(tmp_path: Path) -> None:
    children = made_up_search(tmp_path, 8)
    history = read_history(RunDirectory(tmp_path))
    directory = rerank_directory(RunDirectory(tmp_path))
    chosen = [architecture for architecture, _ in children[:5]]
    trained: list[int] = []

    def child(job) -> dict:
        trained.append(job.number)
        return quick(job)

    for count in (2, 5):
        Experiment(directory, Listed(history.space, chosen[:count]), {"child": "quick"}).run(
            SimulatedExecutor(child, lambda job: 1.0, 1), count
        )
    assert trained == [0, 1, 2, 3, 4]
    again = read_reranked(RunDirectory(tmp_path), history)
    assert [c.reward for c in again] == sorted((c.reward for c in again), reverse=True)
    assert {c.number: c.search_reward for c in again} == {i: children[i][1] for i in range(5)}
    page = Page(report_page(history, again, 1))
    for rank, result in enumerate(again, 1):
        row = [str(rank), str(result.number), f"{result.search_reward:.4f}", f"{result.reward:.4f}"]
        assert row in page.rows


def test_those_chosen_once_stay_chosen_with_a_smaller_count(tmp_path: Path) -> None:
    made_up_search(tmp_path, 8)
    run_dir = RunDirectory(tmp_path)
    trained: list[int] = []

    def child(job) -> dict:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(job.number)
        return quick(job)

    def again(count: int, function) -> int:
        executor = SimulatedExecutor(function, lambda job: 1.0, 1)
        return len(rerank(run_dir, count, RerankChild("digits", recipe_name="digits"), executor))

    with pytest.raises(KeyboardInterrupt):
        again(5, child)
    # Three were asked for when it was cut off.
    assert again(1, quick) == 3
    assert again(2, quick) == 3
    assert again(4, quick) == 4


def test_children_are_ranked_by_reward_and_equal_ones_as_proposed(tmp_path: Path) -> None:
    made_up_search(tmp_path, 0)
    run_dir = RunDirectory(tmp_path)
    *_, (_, place) = read_journal(run_dir.journal)
    with Journal(run_dir.journal, place) as journal:
        for number in range(4):
            journal.append("asked", number=number, architecture=[0] * 8, key=str(number))
            journal.append("started", number=number, attempt=0)
        for number, reward in ((2, 0.5), (0, 0.25), (3, 0.75), (1, 0.5)):
            journal.append("result", number=number, reward=reward, seconds=1.0, values={})
    history = read_history(run_dir)
    assert [child.number for child in history.trained] == [2, 0, 3, 1]
    assert [child.number for child in history.best(3)] == [3, 1, 2]
    assert history.state.best == history.best(1)[0]
    with pytest.raises(ValueError, match="got count=0"):
        history.best(0)


def test_every_cost_has_a_column_a_unit_and_a_limit(tmp_path: Path) -> None:
    values = {"parameters": 3303274, "latency_ms": 12.3456}
    children = [Trained(4, (0,), 0.5, None, 61.0, values), Trained(1, (0,), 0.25, None, 2.0, {})]
    table = ranking(children)
    assert table.headings == ("rank", "child", "accuracy", "parameters", "latency, ms", "time")
    assert table.rows == [
        ("1", "4", "0.5000", "3,303,274", "12.3456", "1 min 1 s"),
        ("2", "1", "0.2500", "", "", "2 s"),
    ]
    assert {f"max_{cost.key}" for cost in COSTS} == {f.name for f in dataclasses.fields(Limits)}
    limits = Limits(max_parameters=3000000, max_latency_ms=0.5)
    assert limits.violation(values) == "max_parameters=3000000 is below its 3,303,274 parameters"
    assert limits.violation({"latency_ms": 1.25}) == "max_latency_ms=0.5 is below its 1.25 ms"
    assert limits.violation({"parameters": 5, "multiply_adds": 10**9}) is None
    assert str(limits) == "max_parameters=3000000, max_latency_ms=0.5"
