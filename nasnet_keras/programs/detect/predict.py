"""Finds objects in pictures: draws them, and lists them as JSON and CSV.

  nasnet-keras detect predict --checkpoint_path=runs/det --output_dir=found PICTURES...

Each argument is a picture or a folder of pictures; --camera takes a frame of a webcam. A file that
is not a complete picture is reported and skipped; the exit code is then 1. A drawing never replaces
one of the pictures given: it gets a different name.
"""

from __future__ import annotations

import contextlib
import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasnet_keras.files.atomic_files import atomic_write, check_can_write, make_directory
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.detect.detector_flags import DetectorFlags
from nasnet_keras.programs.errors import one_line, print_error
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Fraction, NonNegativeInt
from nasnet_keras.text.plain_text import say, spreadsheet_cell

_PICTURE_ERROR = 1
_COLUMNS = ("file", "name", "category_id", "score", "top", "left", "bottom", "right")


@dataclass(frozen=True, kw_only=True)
class Flags(DetectorFlags):
    """What finds objects, and where results go.

    Attributes:
        output_dir: Where to write.
        min_score: Detections with a lower score are dropped.
        camera: Index of a webcam to take a frame of; needs OpenCV.
    """

    output_dir: str = "found"
    min_score: Fraction = 0.3
    camera: NonNegativeInt | None = None


def main(flags: Flags, arguments: list[str]) -> int:
    if not arguments and flags.camera is None:
        raise ValueError("no picture given: name files or folders, or --camera=0")
    output_dir = Path(flags.output_dir)
    check_can_write(output_dir / "detections.json")
    import_keras_quietly()
    from nasnet_keras.detection.inference.picture_files import camera_frame, find_pictures

    files = find_pictures(arguments, leave_out=output_dir)
    frame = None if flags.camera is None else camera_frame(flags.camera)
    from nasnet_keras.detection.inference.pictures import read_pixels
    from nasnet_keras.detection.inference.predictor import Predictor

    predictor = Predictor(flags.load(), flags.min_score)
    make_directory(output_dir)

    sources: list[tuple[str, Any]] = [(str(file), file) for file in files]
    if frame is not None:
        sources.insert(0, (f"camera{flags.camera}", frame))
    entries: list[dict[str, Any]] = []
    given = _identities(files)
    taken: set[str] = set()
    errors = 0
    for name, source in sources:
        try:
            pixels = read_pixels(source, predictor.served.exif_orientation)
        except (OSError, ValueError) as error:
            line = one_line(error) if isinstance(error, OSError) else f"{name}: {one_line(error)}"
            print_error(line)
            entries.append({"file": name, "error": line})
            errors += 1
            continue
        found = predictor.predict(pixels)
        picture = _free_path(output_dir, Path(name).stem, taken, given)
        with atomic_write(picture) as temporary:
            found.draw(pixels).save(temporary)
        height, width = found.size
        entries.append(
            {
                "file": name,
                "picture": picture.name,
                "height": height,
                "width": width,
                "detections": found.to_list(),
            }
        )
        counts = [f"{count} {each}" for each, count in Counter(found.names).items()]
        say(f"{name}: {', '.join(counts) or 'nothing'}")
    with atomic_write(output_dir / "detections.json") as path:
        text = json.dumps(entries, indent=2, ensure_ascii=False)
        # A file's name that is not UTF-8 is written as JSON writes such characters.
        path.write_text(f"{text}\n", "utf-8", errors="backslashreplace")
    write_csv(output_dir / "detections.csv", entries)
    total = sum(len(entry.get("detections", ())) for entry in entries)
    say(f"wrote {total} detections in {len(entries) - errors} pictures to {output_dir}")
    return _PICTURE_ERROR if errors else 0


def write_csv(path: Path, entries: list[dict[str, Any]]) -> None:
    with (
        atomic_write(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8", errors="backslashreplace") as out,
    ):
        writer = csv.writer(out)
        writer.writerow(_COLUMNS)
        for entry in entries:
            for one in entry.get("detections", ()):
                row = [entry["file"], one["name"], one["category_id"], one["score"], *one["box"]]
                writer.writerow(map(spreadsheet_cell, row))


def _identities(files: Iterable[Path]) -> set[tuple[int, int]]:
    """Returns the device and inode of each existing file."""
    found = set()
    for file in files:
        with contextlib.suppress(OSError):
            status = file.stat()
            found.add((status.st_dev, status.st_ino))
    return found


def _free_path(folder: Path, stem: str, taken: set[str], given: set[tuple[int, int]]) -> Path:
    """Returns a path that is neither input nor output so far, e.g. for a/1.jpg and b/1.jpg."""
    name, number = f"{stem}.png", 1
    while name in taken or _identities([folder / name]) & given:
        number += 1
        name = f"{stem}-{number}.png"
    taken.add(name)
    return folder / name


PROGRAM = Program(main, (Flags,), arguments="PICTURES...")
