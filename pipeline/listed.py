"""Values in a message, short enough to read whatever somebody's data holds."""

from collections.abc import Sequence

MOST_NAMES = 30
"""Names that a message lists."""

MOST_CHARACTERS = 80
"""Characters of one value in a message."""


def shortened(value: str) -> str:
    """Return a value, or its beginning where it is long.

    >>> shortened("a" * 100) == "a" * 77 + "..."
    True
    """
    return value if len(value) <= MOST_CHARACTERS else value[: MOST_CHARACTERS - 3] + "..."


def listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    """Return the first names, at most so many, and how many more there are.

    >>> listed(["id", "text"])
    'id, text'
    """
    more = len(names) - most
    return ", ".join(map(shortened, names[:most])) + (f" and {more} more" if more > 0 else "")
