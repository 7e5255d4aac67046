"""The steps of a run at which it can stop and go on: each ends in a saved table."""

from ..hashing.errors import ConfigError
from .config import Pipeline


def steps_of(config: Pipeline) -> tuple[str, ...]:
    """Return the names of the steps of a run that end in a saved table, in order, from its configuration alone.

    An index is asked in the step after the first, and its rows join it in the last one, which also writes the
    decisions and the report: the last step is the whole run.

    >>> from .config import make_config
    >>> steps_of(make_config({"inputs": [{"path": "corpus"}], "stages": ["exact"]}))
    ('read and sketch', 'rank', 'exact', 'order', 'place', 'write shards')
    """
    near = config.near
    compared = near is not None and (near.index is None or near.index.mode == "insert-kept")
    steps = {
        "read and sketch": True,
        "rank": True,
        "decontaminate": config.decontaminate is not None,
        "exact": config.exact,
        "candidates": compared,
        "verify": compared and near is not None and near.verify != "none",
        "decide": compared,
        "contained": config.contained is not None,
        "semantic": config.semantic is not None,
        "balance leaves": config.balance is not None,
        "select": config.select is not None,
        "paragraphs": config.paragraphs is not None,
        "benchmark items": config.cuts_items,
        "cut": config.cuts,
        "order": True,
        "count tokens": bool(config.tokenizers),
        "place": True,
        "annotate": config.annotate,
        "write shards": True,
    }
    return tuple(name for name, taken in steps.items() if taken)


def last_step(config: Pipeline, until: str | None) -> str | None:
    """Return the step to stop after, or None for a whole run.

    Raises:
        ConfigError: if the run has no such step.
    """
    steps = steps_of(config)
    if until is not None and until not in steps:
        raise ConfigError("a run stops after one of its steps", value=until, remedy=f"Name one of: {', '.join(steps)}.")
    return None if until == steps[-1] else until
