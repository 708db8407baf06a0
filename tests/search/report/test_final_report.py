"""The table of a search's best cells at several sizes."""

import csv
from pathlib import Path

from nasnet_keras.search.report.final_report import TableRow, write_final_report
from tests.search.report.test_report import Page


def test_page_and_file_have_the_same_networks(tmp_path: Path) -> None:
    networks = [
        TableRow("cell_a", "child 3", 6, 16, 1000, 50_000, 0.91, 0.25, 4096),
        TableRow("cell_a", "child 3", 18, 32, 9000, 700_000, 0.95, 1.5, 8192),
    ]
    published = [TableRow("<b>", "A paper, table 1", None, None, 3_300_000, 600_000, 0.9659)]
    write_final_report(tmp_path / "x.html", "A search", networks, published)
    page = Page((tmp_path / "x.html").read_text())
    assert page.rows == [
        ["network", "source", "cells", "filters", "parameters", "multiply-adds"]
        + ["latency, ms", "memory, bytes", "test accuracy"],
        ["<b>", "A paper, table 1", "", "", "3,300,000", "600,000", "", "", "0.9659"],
        ["cell_a", "child 3", "18", "32", "9,000", "700,000", "1.5", "8,192", "0.9500"],
        ["cell_a", "child 3", "6", "16", "1,000", "50,000", "0.25", "4,096", "0.9100"],
    ]
    assert len(page.images) == 1 and "b" not in page.tags
    with open(tmp_path / "x.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["accuracy"] for row in rows] == ["0.91", "0.95", "0.9659"]
    assert rows[1]["peak_bytes"] == "8192" and rows[2]["num_cells"] == ""
