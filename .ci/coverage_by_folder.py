"""Prints what share of each folder's lines the tests ran, from coverage.py's JSON report."""

import json
import sys
from collections import defaultdict
from pathlib import Path


def main(report: str) -> None:
    lines: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, file in json.loads(Path(report).read_text())["files"].items():
        for folder in (str(Path(name).parent), "all"):
            lines[folder][0] += file["summary"]["covered_lines"]
            lines[folder][1] += file["summary"]["num_statements"]
    print("| folder | lines | run by tests |\n|---|---:|---:|")
    for folder, (covered, total) in sorted(lines.items()):
        print(f"| {folder} | {total:,} | {covered / total if total else 1:.1%} |")


if __name__ == "__main__":
    main(sys.argv[1])
