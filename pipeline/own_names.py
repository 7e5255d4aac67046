"""Inputs as sources: where sources are told apart, each input has a name of its own."""

from collections.abc import Sequence

from ..connectors.corpus import InputSpec
from ..hashing.errors import ConfigError
from ..hashing.redaction import redacted


def check_own_names(inputs: Sequence[InputSpec], *, remedy: str) -> None:
    """Make sure that no two inputs are one source only because their paths end alike.

    Inputs that are given one name are one source: somebody wants it so.

    Args:
        inputs: whose records have no source of their own.
        remedy: what to do about it.

    Raises:
        ConfigError: an input is called like another one.
    """
    by_name: dict[str, list[InputSpec]] = {}
    for spec in inputs:
        by_name.setdefault(spec.name, []).append(spec)
    twice = {name: specs for name, specs in by_name.items() if len(specs) > 1 and not all(one.source for one in specs)}
    if twice:
        raise ConfigError(
            "each input is a source, and is called by its last name",
            value="; ".join(
                f"{name!r} more than once: {', '.join(redacted(spec.path) for spec in specs)}"
                for name, specs in sorted(twice.items())
            ),
            remedy=remedy,
        )
