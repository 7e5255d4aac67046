"""A mixture as other loaders want it: for those who mix sources while they train, rather than read mixed shards.

    hf        interleave_datasets of Hugging Face's datasets: probabilities of rows
    mosaic    Stream of MosaicML's Streaming: proportions of rows (of its own format MDS)
    energon   MetadatasetV2 of Megatron-Energon: weights of samples
    megatron  --data-path of Megatron-LM: weights of samples of equally many tokens

Weights of a mixture are in its unit. Where a loader draws rows, a source of long rows must be drawn less often: its
weight is divided by the mean size of its rows, which a run has written down.
"""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from glob import escape
from typing import Any

from pydantic import ValidationError

from ..hashing.errors import ConfigError
from .counted import counted
from .mixture import ROWS, UNITS, Mixture

TARGETS = ("hf", "mosaic", "energon", "megatron")

_DIGITS = 6


@dataclass(frozen=True)
class _Drawn:
    """What a phase draws from.

    Attributes:
        name: of the phase, or nothing where there is one.
        shares: of the sources with a weight above 0, by name; they add up to 1.
        rows: about how many the phase has, or None where nobody knows.
    """

    name: str
    shares: dict[str, float]
    rows: int | None


def snippet(mixture: Mapping[str, Any], target: str, *, folder: str = "sources") -> str:
    """Return a mixture in the words of another loader, ready to be pasted.

    Args:
        mixture: as ``mixture.yaml`` has it; one that a run has written, unless its unit is rows or the target megatron.
        target: one of ``TARGETS``.
        folder: where each source is a data set of its own, by its name.

    Raises:
        ConfigError: if there is no such target, the mixture is none, or rows of a source have no known size.
    """
    if target not in TARGETS:
        raise ConfigError(
            f"a mixture is written for {', '.join(TARGETS)}", value=target, remedy="Name one of these loaders."
        )
    try:
        wanted = Mixture.model_validate(mixture)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            "a mixture is of the form of mixture.yaml",
            value=f"{'.'.join(map(str, first['loc'])) or 'mixture'}: {first['msg']}",
            remedy="Take the mixture.yaml of an output.",
        ) from error
    phases = _in_unit(wanted) if target == "megatron" else _in_rows(wanted)
    return {"hf": _hf, "mosaic": _mosaic, "energon": _energon, "megatron": _megatron}[target](phases, wanted, folder)


def _in_unit(mixture: Mixture) -> list[_Drawn]:
    names = [phase.name for phase in mixture.phases] or [""]
    phases = []
    for name, weights in zip(names, mixture.weights(), strict=True):
        total = sum(weights.values())
        phases.append(_Drawn(name, {key: value / total for key, value in weights.items() if value > 0}, None))
    return phases


def _in_rows(mixture: Mixture) -> list[_Drawn]:
    """Return the phases with shares of rows, and how many rows each has where a run has written them."""
    sizes = {name: _row_size(name, mixture) for phase in _in_unit(mixture) for name in phase.shares}
    written = all(mixture.sources[name].emitted is not None for name in sizes)
    total = sum(mixture.sources[name].emitted or 0 for name in sizes)
    phases = []
    for phase, share in zip(_in_unit(mixture), mixture.shares(), strict=True):
        rows = {name: part / sizes[name] for name, part in phase.shares.items()}
        shares = {name: part / sum(rows.values()) for name, part in rows.items()}
        phases.append(_Drawn(phase.name, shares, round(total * share * sum(rows.values())) if written else None))
    return phases


def _row_size(name: str, mixture: Mixture) -> float:
    """Return the mean size of the rows of a source, in the unit."""
    source = mixture.sources[name]
    if mixture.unit == ROWS:
        return 1.0
    if not source.rows or not source.emitted:
        raise ConfigError(
            "weights become weights of rows where a run has written emitted and rows of every source",
            value=f"source {name!r} without them",
            remedy="Take the mixture.yaml of the output, or leave sources without rows out.",
        )
    return source.emitted / source.rows


def _converted(mixture: Mixture, what: str) -> str:
    """Return the comment that says what weights are of."""
    if mixture.unit == ROWS:
        return f"# {what} are of rows, as in the mixture."
    unit = _unit(mixture)
    return f"# {what} are of rows: converted from {unit} by the mean {unit} of a row of each source."


def _unit(mixture: Mixture) -> str:
    """Return the unit as it fits in one line."""
    return mixture.unit if mixture.unit in UNITS else f"tokens of {' '.join(mixture.unit.split())}"


def _numbers(shares: Mapping[str, float]) -> dict[str, float]:
    """Return shares with few digits that still add up to 1."""
    rounded = {name: round(share, _DIGITS) for name, share in shares.items()}
    largest = max(rounded, key=lambda name: rounded[name])
    rounded[largest] = round(rounded[largest] + 1 - math.fsum(rounded.values()), _DIGITS)
    return rounded


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _hf(phases: Sequence[_Drawn], mixture: Mixture, folder: str) -> str:
    names = sorted({name for phase in phases for name in phase.shares})
    lines = [
        _converted(mixture, "Probabilities"),
        "from datasets import interleave_datasets, load_dataset",
        "",
        "files = {",
        *(f"    {_text(name)}: {_text(_path(folder, escape(name)) + '/*.parquet')}," for name in names),
        "}",
        "sources = {",
        '    name: load_dataset("parquet", data_files=pattern, split="train", streaming=True)',
        "    for name, pattern in files.items()",
        "}",
    ]
    repeats = {name: math.ceil(mixture.sources[name].max_epochs or mixture.max_epochs) for name in names}
    if any(times > 1 for times in repeats.values()):
        lines.append("# A source is repeated as often as its max_epochs lets it.")
        lines += [
            f"sources[{_text(name)}] = sources[{_text(name)}].repeat({times})"
            for name, times in repeats.items()
            if times > 1
        ]
    before = dict.fromkeys(names, 0.0)
    variables: list[str] = []
    if len(phases) > 1:
        lines.append("# One phase after another; each goes on about where the one before left a source.")
    for phase in phases:
        variable = _variable(phase.name, variables)
        variables.append(variable)
        lines.append(f"{variable} = interleave_datasets(")
        lines.append("    [")
        for name in phase.shares:
            skipped = f".skip({round(before[name])})" if round(before[name]) else ""
            lines.append(f"        sources[{_text(name)}]{skipped},")
        lines.append("    ],")
        lines.append(f"    probabilities={list(_numbers(phase.shares).values())},")
        lines.append("    seed=0,")
        lines.append(f"){f'.take({phase.rows})' if phase.rows is not None else ''}")
        for name, share in phase.shares.items():
            before[name] += (phase.rows or 0) * share
    return "\n".join(lines) + "\n"


def _mosaic(phases: Sequence[_Drawn], mixture: Mixture, folder: str) -> str:
    lines = [
        _converted(mixture, "Proportions"),
        "# Streaming reads MDS, not Parquet: each source is converted first.",
        "from streaming import Stream, StreamingDataset",
        "",
    ]
    variables: list[str] = []
    if len(phases) > 1:
        lines.append("# One phase after another. Each begins its streams anew.")
    for phase in phases:
        variable = _variable(phase.name, variables)
        variables.append(variable)
        size = (
            f"    epoch_size={phase.rows}," if phase.rows is not None else "    epoch_size=None,  # rows of the phase"
        )
        lines += [
            f"{variable} = StreamingDataset(",
            "    streams=[",
            *(
                f"        Stream(local={_text(_path(folder, name))}, proportion={share}),"
                for name, share in _numbers(phase.shares).items()
            ),
            "    ],",
            size,
            "    shuffle=True,",
            "    shuffle_seed=0,",
            "    batch_size=1,  # of a device: yours",
            ")",
        ]
    return "\n".join(lines) + "\n"


def _energon(phases: Sequence[_Drawn], mixture: Mixture, folder: str) -> str:
    lines = [_converted(mixture, "Weights")]
    if len(phases) > 1:
        lines.append("# One phase after another: each document is a file of its own.")
    for number, phase in enumerate(phases):
        if number:
            lines.append("---")
        if len(phases) > 1:
            rows = f", about {counted(phase.rows, 'row')}" if phase.rows is not None else ""
            lines.append(f"# Phase {phase.name}{rows}.")
        lines += ["__module__: megatron.energon", "__class__: MetadatasetV2", "splits:", "  train:", "    blend:"]
        for name, share in _numbers(phase.shares).items():
            lines += [f"      - weight: {share}", f"        path: {_text('./' + _path(folder, name))}"]
    return "\n".join(lines) + "\n"


def _megatron(phases: Sequence[_Drawn], mixture: Mixture, folder: str) -> str:
    lines = [
        f"# Weights are of {_unit(mixture)}, as in the mixture. Megatron's samples are equally many tokens each.",
        *(
            ["# The mixture counts rows: weights are right if rows of all sources are equally long."]
            * (mixture.unit == ROWS)
        ),
        "# Each path is the prefix of a source's .bin and .idx.",
    ]
    if len(phases) > 1:
        lines.append("# One phase after another: a run of Megatron for each.")
    for phase, share in zip(phases, mixture.shares(), strict=True):
        if len(phases) > 1:
            lines.append(f"# Phase {phase.name}, {share:.6g} of the tokens.")
        pairs = [f"{weight} {shlex.quote(_path(folder, name))}" for name, weight in _numbers(phase.shares).items()]
        lines.append(" \\\n  ".join(["--data-path", *pairs]))
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Return a string that Python and YAML both read."""
    return json.dumps(text, ensure_ascii=False)


def _variable(name: str, taken: Sequence[str]) -> str:
    """Return a name for Python; of the only phase, it is ``train``."""
    variable = f"phase_{name.replace('.', '_')}" if name else "train"
    while variable in taken:
        variable += "_"
    return variable
