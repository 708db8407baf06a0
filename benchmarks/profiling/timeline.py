"""What a framework's own profiler saw: when each operation ran, and whose time an instant is."""

from __future__ import annotations

import glob
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras

STEP = "profiled_step"


class Interval(NamedTuple):
    """When an operation ran, in nanoseconds, and what it is called."""

    start: float
    end: float
    name: str


@dataclass
class Profile:
    """Operations of all devices and threads, and the steps they belong to."""

    steps: list[Interval]
    operations: list[Interval]


def record(step: Callable[[], None], count: int) -> Profile:
    """Runs a step under the profiler.

    Args:
        step: Runs it, and waits until its results are there.
        count: How many times.
    """
    with tempfile.TemporaryDirectory() as folder:
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            profiler = tf.profiler.experimental
            options = profiler.ProfilerOptions(host_tracer_level=2, python_tracer_level=0)
            profiler.start(folder, options)
            for number in range(count):
                with profiler.Trace(STEP, step_num=number):
                    step()
            profiler.stop()
        else:
            import jax

            options = jax.profiler.ProfileOptions()
            options.python_tracer_level = 0
            with jax.profiler.trace(folder, profiler_options=options):
                for number in range(count):
                    with jax.profiler.StepTraceAnnotation(STEP, step_num=number):
                        step()
        (path,) = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
        return _profile(list(_events(path)))


class _Event(NamedTuple):
    plane: str
    start: float
    end: float
    name: str
    stats: dict[str, Any]


def _events(path: str) -> Iterable[_Event]:
    """Reads a profile's file; each framework has a reader of its own."""
    if keras.backend.backend() == "jax":
        import jax

        for plane in jax.profiler.ProfileData.from_file(path).planes:
            for line in plane.lines:
                for event in line.events:
                    end = event.start_ns + event.duration_ns
                    yield _Event(plane.name, event.start_ns, end, event.name, dict(event.stats))
        return
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with open(path, "rb") as file:
        space = xplane_pb2.XSpace.FromString(file.read())
    for plane in space.planes:
        names = {key: value.name for key, value in plane.stat_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                start = line.timestamp_ns + event.offset_ps / 1000
                stats = {
                    names[stat.metadata_id]: stat.str_value or names.get(stat.ref_value, "")
                    for stat in event.stats
                }
                name = plane.event_metadata[event.metadata_id].name
                yield _Event(plane.name, start, start + event.duration_ps / 1000, name, stats)


# Operations that only hold others, which are there themselves.
_HOLDERS = ("PartitionedCall", "StatefulPartitionedCall", "While", "StatelessWhile", "If")
_HOLDERS += ("StatelessIf", "while", "conditional", "call")


def _profile(events: list[_Event]) -> Profile:
    steps = [Interval(e.start, e.end, e.name) for e in events if e.name == STEP]
    steps = [step for step in steps if step.end > step.start]
    # Work on an accelerator is on a plane of its own; what starts it is then the host's.
    on_accelerator = any(e.plane.startswith("/device:GPU") and _name(e) for e in events)
    start_of_plane = "/device:GPU" if on_accelerator else "/host:CPU"
    ends: dict[str, list[float]] = defaultdict(list)
    operations = []
    for event in sorted(events, key=lambda event: event.start):
        if event.name.startswith("end: "):
            ends[event.name.removeprefix("end: ")].append(event.start)
        elif event.plane.startswith(start_of_plane):
            name = _name(event)
            if name and name.rsplit(":", 1)[-1].split(".")[0] not in _HOLDERS:
                operations.append(Interval(event.start, event.end, name))
    return Profile(steps, _until_done(operations, ends))


def _name(event: _Event) -> str | None:
    """Returns an operation's name in its program; `None` for what is no operation."""
    name = event.stats.get("hlo_op") or event.stats.get("tf_op")
    if name:
        return str(name)
    is_operation = ":" in event.name and "::" not in event.name and " " not in event.name
    return event.name if is_operation and keras.backend.backend() == "tensorflow" else None


def _until_done(operations: list[Interval], ends: dict[str, list[float]]) -> list[Interval]:
    """Returns operations with the ends that XLA on a CPU tells: it starts some and goes on."""
    position: Counter[str] = Counter()
    result = []
    for start, end, name in operations:
        number, position[name] = position[name], position[name] + 1
        times = ends.get(name, [])
        # Operations of one name run one after another.
        done = times[number] if number < len(times) else end
        result.append(Interval(start, max(end, done), name))
    return result


def time_by_name(profile: Profile, idle: str) -> dict[str, float]:
    """Returns the seconds of the shortest step that are each operation's; their sum is the step.

    An instant in which several operations run belongs to them in equal parts, one in which none
    runs to `idle`. Other programs on the machine took least of the shortest step.
    """
    step = min(profile.steps, key=lambda step: step.end - step.start)
    edges = [(step.start, 0, idle), (step.end, 0, idle)]
    for start, end, name in profile.operations:
        start, end = max(start, step.start), min(end, step.end)
        if start < end:
            edges += [(start, 1, name), (end, -1, name)]
    seconds: dict[str, float] = defaultdict(float)
    running: Counter[str] = Counter()
    last = step.start
    for time, change, name in sorted(edges):
        if time > last:
            count = sum(running.values())
            for each, times in running.items() if count else [(idle, 1)]:
                seconds[each] += (time - last) * times / (count or 1)
        last = time
        running[name] += change
        if not running[name]:
            del running[name]
    return {name: value / 1e9 for name, value in seconds.items()}
