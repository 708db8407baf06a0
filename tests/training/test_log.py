"""What a kill left of a log, who writes on behind it, and the best epoch that it tells of."""

import json
import math

from nasnet_keras.training.log import append_epoch, best_score, read_log


def record(epoch, **values):
    return {"epoch": epoch, "step": 10 * epoch, "loss": 1.0, **values}


def write(path, *lines):
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def test_later_lines_win_and_torn_lines_are_ignored(tmp_path):
    log = write(
        tmp_path / "metrics.jsonl",
        record(1, loss=3.0),
        "\n",
        record(2, loss=2.5),
        "\n",
        record(2, loss=2.0),
        "\n",
        '{"epoch": 3, "st',
    )
    assert [(r["epoch"], r["loss"]) for r in read_log(log)] == [(1, 3.0), (2, 2.0)]


def test_line_written_behind_a_torn_one_counts(tmp_path):
    log = write(tmp_path / "log", record(1), "\n", '{"epoch": 2, "st', record(2, loss=2.0), "\n")
    assert [(r["epoch"], r["loss"]) for r in read_log(log)] == [(1, 1.0), (2, 2.0)]


def test_writer_starts_a_line_of_its_own_behind_a_torn_one(tmp_path):
    log = tmp_path / "metrics.jsonl"
    append_epoch(log, record(1))
    with log.open("a") as file:
        file.write('{"epoch": 2, "st')
    append_epoch(log, record(2))
    append_epoch(log, record(3))
    lines = log.read_text().splitlines()
    assert [json.loads(line) for line in (lines[0], *lines[2:])] == [record(n) for n in (1, 2, 3)]
    assert lines[1] == '{"epoch": 2, "st' and log.read_text().endswith("}\n")
    assert read_log(log) == [record(n) for n in (1, 2, 3)]


def test_line_that_lacks_its_end_alone_stays_a_line(tmp_path):
    log = write(tmp_path / "log", record(1))
    append_epoch(log, record(2))
    assert read_log(log) == [record(1), record(2)]


def test_best_score_is_also_found_behind_a_torn_line(tmp_path):
    log = write(
        tmp_path / "log",
        record(1, score=0.5),
        "\n",
        '{"epoch": 2, "st',
        record(2, score=0.75),
        "\n",
        record(3),
        "\n",
        record(4, score=math.nan),
        "\n",
        record(5, score=0.875),
        "\n",
    )
    assert best_score(log, "score", 49) == 0.75
    assert best_score(log, "score", 50) == 0.875
    assert best_score(log, "score", 9) == best_score(log, "other", 50) == -math.inf


def test_later_line_of_an_epoch_decides_its_score(tmp_path):
    lines = [f"{json.dumps(record(1, score=score))}\n" for score in (0.9, 0.4)]
    assert best_score(write(tmp_path / "log", *lines), "score", 10) == 0.4


def test_run_that_is_new_has_no_score(tmp_path):
    assert best_score(tmp_path / "log", "score", 0) == -math.inf
