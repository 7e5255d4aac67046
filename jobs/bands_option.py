"""Bands of codes as people write them: ``4x16``."""

from ..hashing.errors import ConfigError


def bands_of(text: str, bits: int | None = None) -> tuple[int, int]:
    """Return (bands, bits of each).

    Args:
        text: as ``4x16``.
        bits: of a code, where it is known.

    Raises:
        ConfigError: it is none, or the bands have more bits than a code.

    >>> bands_of("4x16")
    (4, 16)
    """
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise ConfigError("bands are a number x their bits", value=text, remedy="Write them as 4x16.")
    bands, width = int(parts[0]), int(parts[1])
    if bits is not None:
        from ..hashing.codes import check_bands  # loads Numba

        check_bands(bands, width, bits)
    return bands, width
