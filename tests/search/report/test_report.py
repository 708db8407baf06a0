"""The page on a search."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nasnet_keras.genotypes import get_genotype
from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.simulated_executor import SimulatedExecutor
from nasnet_keras.search.report.history import read_history, read_reranked, rerank_directory
from nasnet_keras.search.report.report import report_page, write_report
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


def test_what_is_weighed_against_accuracy_is_shown_with_its_front(tmp_path: Path) -> None:
    objective = {"reward": "accuracy_latency", "cost": "latency_ms", "target_latency_ms": 4}
    rewards = [r for _, r in made_up_search(tmp_path, 6, predict=True, objective=objective)]
    text = report_page(read_history(RunDirectory(tmp_path)), [], 1)
    page = Page(text)
    # Latency grows with the number: on the front are those better than all before.
    front = [i for i in range(6) if rewards[i] == max(rewards[: i + 1])]
    costs = [
        [f"{rewards[i]:.4f}", f"{rewards[i] / 2:.4f}", f"{1000 + i:,}", f"{1.5 + i:g}", "2 s"]
        for i in range(6)
    ]
    start = page.rows.index(["child", "reward", "accuracy", "parameters", "latency, ms", "time"])
    assert page.rows[start + 1 :][: len(front)] == [[str(i), *costs[i]] for i in front]
    best = max(range(6), key=lambda i: rewards[i])
    assert ["1", str(best), *costs[best]] in page.rows
    assert f"reward {rewards[best]:.4f}" in text
    assert "reward=accuracy_latency, cost=latency_ms, target_latency_ms=4" in text
    assert "Predicted and true reward" in text and len(page.images) == 4
    for image, axis in zip(page.images, ("reward", "accuracy", "reward"), strict=False):
        drawing = base64.b64decode(image.removeprefix("data:image/svg+xml;base64,"))
        assert f">{axis}</text>".encode() in drawing


def test_names_cannot_bring_code_into_the_page(tmp_path: Path) -> None:
    made_up_search(tmp_path, 3)
    history = read_history(RunDirectory(tmp_path))
    history.config.child["dataset_name"] = history.config.strategy["name"] = (
        "</title><script>alert('&')</script>\x00\x1b\udcff"
    )
    text = report_page(history, [], 1)
    assert "script" not in Page(text).tags and "&lt;script&gt;" in text
    assert r"&lt;/script&gt;\x00\x1b\udcff in space" in text
    assert not re.search("[\x00-\x09\x0b-\x1f]", text)


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
    assert [c.accuracy for c in again] == sorted((c.accuracy for c in again), reverse=True)
    assert {c.number: c.search_accuracy for c in again} == {i: children[i][1] for i in range(5)}
    page = Page(report_page(history, again, 1))
    for rank, result in enumerate(again, 1):
        accuracies = [f"{result.search_accuracy:.4f}", f"{result.accuracy:.4f}"]
        assert [str(rank), str(result.number), *accuracies] in page.rows


def test_a_search_whose_networks_grow_is_resumed_and_drawn(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "run")
    architectures = []
    for budget in (5, 12):
        space = get_space("layerwise", num_layers=1, max_layers=3, layers_added=1, grow_every=4)
        strategy = get_strategy("reinforce", space, units=(4,), embedding_size=4, batch_size=3)
        experiment = Experiment(directory, strategy, {"child": "quick"}, say=lambda text: None)
        experiment.run(SimulatedExecutor(quick, lambda job: 1.0, 2), budget)
        architectures.append(read_history(directory).proposals)
    assert architectures[1][: len(architectures[0])] == architectures[0]
    history = read_history(directory)
    depths = [len(history.space.decode(a).layers) for a in architectures[1]]
    assert depths == [min(1 + number // 4, 3) for number in range(len(depths))]
    last = history.trained[-1]
    genotype = history.genotype(last.number)
    genotype.save(tmp_path / "layers.json")
    assert get_genotype(str(tmp_path / "layers.json")) == genotype
    page = report_page(history, [], 1)
    best = history.genotype(history.best(1)[0].number)
    assert f"<title>{best.name}</title>" in page and 'data-cell="layers"' in page
