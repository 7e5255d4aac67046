"""What the listing of a lake knows of a table that is kept by a format of its own: Delta or Iceberg."""

import re
from typing import NamedTuple

from ..hashing.errors import InputError
from .formats import InputFile


class ListedTable(NamedTuple):
    """A table at one of its versions.

    Attributes:
        name: path of its folder relative to the lake, or its name in the catalogue.
        kind: "delta" or "iceberg".
        files: its data files at that version, in order of their paths.
        snapshot: the version: two listings with one snapshot have the same rows.
        location: Delta: its folder; Iceberg: its metadata file, which never changes, or its folder without a catalogue.
        catalogued: Iceberg: the catalogue argument, the catalogue's name, namespaces and name.
        fault: why it cannot be read, or "".
    """

    name: str
    kind: str
    files: tuple[InputFile, ...] = ()
    snapshot: str = ""
    location: str = ""
    catalogued: tuple[str, ...] = ()
    fault: str = ""


def same_place(location: str) -> str:
    """Return one spelling of a path or URL that libraries spell in several: ``file:/a``, ``file:///a``, ``s3a://b``."""
    return re.sub(r"^s3[an]:", "s3:", re.sub(r"^file:/+", "/", location)).rstrip("/")


def in_words(error: Exception) -> str:
    """Return what an error of a library says, on one line and without the trace of calls that some append."""
    said = [line.strip() for line in str(error).splitlines()]
    trace = next((i for i, line in enumerate(said) if re.match(r"\d+: ", line)), len(said))
    return " ".join(filter(None, said[:trace]))[:500] or type(error).__name__


def check_readable(name: str, fault: str) -> None:
    """Refuse a table that was known to be unreadable when it was listed.

    Raises:
        InputError: saying why.
    """
    if fault:
        raise InputError("a table of a lake can be read", value=f"{name}: {fault}", remedy="Mend it, or leave it out.")
