"""One wording for every unknown name: what was given, the nearest right one, what is allowed."""

import difflib
from collections.abc import Iterable

from nasnet_keras.text.plain_text import shown

_LONGEST = 200


def unknown_name(kind: str, value: object, allowed: Iterable[str]) -> str:
    """Returns the one-line message for a name that is not in a fixed set.

    Args:
        kind: What the name stands for, e.g. `"operation"`.
        value: The name as given.
        allowed: Every legal name.

    Returns:
        A line such as `unknown operation 'seperable_3x3'; did you mean 'separable_3x3'?`, with the
        legal names listed when none is near, or `expected none` if there are none.
    """
    names = list(allowed)
    # The time of a comparison grows with the square of the length.
    near = difflib.get_close_matches(str(value)[:_LONGEST], names, n=1, cutoff=0.6)
    if near:
        return f"unknown {kind} {shown(value)}; did you mean {near[0]!r}?"
    expected = f"one of: {', '.join(names)}" if names else "none"
    return f"unknown {kind} {shown(value)}; expected {expected}"
