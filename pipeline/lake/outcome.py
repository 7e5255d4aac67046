"""What became of a table that was to be moved away or brought back."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Outcome:
    """What became of a table.

    Attributes:
        table: name.
        did: ``would move``, ``moved``, ``brought back``, ``rebuilt``, ``was there``, ``by hand`` or ``refused``.
        bytes: of its files.
        where: a path; "" if nothing was moved.
        why: of a refusal, or what to do by hand; else "".
    """

    table: str
    did: Literal["would move", "moved", "brought back", "rebuilt", "was there", "by hand", "refused"]
    bytes: int = 0
    where: str = ""
    why: str = ""
