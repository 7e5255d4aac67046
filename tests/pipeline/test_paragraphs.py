"""Paragraphs that many rows hold are cut, against lines of Python."""

from collections import Counter, defaultdict
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute_force import tokens
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import digests
from typer.testing import CliRunner

import tamis
from tamis.hashing.errors import ConfigError
from tamis.hashing.paragraphs import blank, paragraphs, without
from tamis.jobs.cli import app
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.edits import pack
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

SPACE = " \t\r"


def packed(texts):
    data = np.frombuffer(b"".join(texts), np.uint8)
    return data, np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)


@settings(deadline=None)
@given(st.lists(st.text("ab é\n\t\r", max_size=40).map(str.encode), max_size=8), st.integers(1, 6))
def test_lines_are_those_of_python(texts, least):
    found = paragraphs(*packed(texts), least)
    expected = []
    for i, text in enumerate(texts):
        at = 0
        for line in text.split(b"\n"):
            stop = min(len(text), at + len(line) + 1)
            content = line.strip(SPACE.encode())
            if len(content) >= least:
                expected.append((i, at, stop, content))
            at += len(line) + 1
    contents = [bytes(found.data[a:b]) for a, b in zip(found.offsets, found.offsets[1:], strict=False)]
    assert [*zip(found.text.tolist(), found.start.tolist(), found.stop.tolist(), contents, strict=True)] == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=20), st.lists(st.integers(0, 20), max_size=6)), max_size=6))
def test_cutting_is_slicing(rows):
    bounds, starts, stops, expected = [0], [], [], []
    for text, places in rows:
        marks = sorted({min(place, len(text)) for place in places})
        pairs = list(zip(marks[::2], marks[1::2], strict=False))
        starts += [a for a, _ in pairs]
        stops += [b for _, b in pairs]
        bounds.append(len(starts))
        ends = [0, *(b for _, b in pairs)]
        expected.append(b"".join(text[a:b] for a, b in zip(ends, [*(a for a, _ in pairs), len(text)], strict=True)))
    data, offsets = packed([text for text, _ in rows])
    arrays = [np.array(values, np.int64) for values in (bounds, starts, stops)]
    left, ends = without(data, offsets, *arrays)
    assert [bytes(left[a:b]) for a, b in zip(ends, ends[1:], strict=False)] == expected


def test_blank_texts():
    assert blank(*packed([b"", b" \n\t\r", b" a ", "\u00a0".encode()])).tolist() == [True, True, False, False]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_cuts_of_a_row_are_packed_together_wherever_batches_end(size):
    rows = pa.table({"row": [1, 1, 1, 4, 7, 7], "start": [0, 5, 9, 2, 1, 3], "stop": [2, 8, 11, 3, 2, 6]})
    found = [row for batch in pack(iter(rows.to_batches(size))) for row in batch.to_pylist()]
    assert [row["row"] for row in found] == [1, 4, 7]
    assert [np.frombuffer(row["__cuts"], np.int64).tolist() for row in found] == [
        [0, 2, 5, 8, 9, 11],
        [2, 3],
        [1, 2, 3, 6],
    ]


COMMON = [f"This line number {i} is at the foot of very many pages of that site, as a notice." for i in range(4)]


def pages(seed, count=60):
    """Pages with lines of their own, and some that others have too."""
    rng = Random(seed)
    texts = []
    for i in range(count):
        lines = [
            f"Page {i} says {rng.random()} about itself, line {j}, and nothing else has it."
            for j in range(rng.randint(0, 4))
        ]
        lines += rng.sample(COMMON, rng.randint(0, 3))
        rng.shuffle(lines)
        ends = [rng.choice(["\n", "\r\n", "\n\n"]) for _ in lines]
        texts.append("".join(rng.choice(["", "  ", "\t"]) + line + end for line, end in zip(lines, ends, strict=True)))
    return [text for text in texts if text]


def sift(texts, folder, *, stages=({"paragraphs": {"rows": 5}},), out="out", **settings_):
    (folder / "in").mkdir(parents=True, exist_ok=True)
    table = pa.table({"text": texts, "id": [f"d{i}" for i in range(len(texts))]})
    if not (folder / "in" / "x.parquet").exists():
        pq.write_table(table, folder / "in" / "x.parquet", row_group_size=9)
    config = make_config(
        {
            "inputs": [{"path": str(folder / "in")}],
            "columns": {"text": "text", "id": "id"},
            "stages": list(stages),
            "allow_loss": ["in"],
            "out": str(folder / out),
        }
        | settings_
    )
    prepared = plan.prepare(config, version=tamis.__version__)
    return Result(plan.run(prepared, lambda work: LocalEngine(work, batch_rows=13), Silent()))


def oracle(texts, rows=5, least=50):
    """Return the text that is left of each, None for an emptied one, and the keeper of each common paragraph."""
    holders = defaultdict(list)
    for i, text in enumerate(texts):
        for content in dict.fromkeys(line.strip(SPACE) for line in text.split("\n")):
            if len(content.encode()) >= least:
                holders[content].append(i)
    keepers = {content: found[0] for content, found in holders.items() if len(found) > rows}
    left = {}
    for i, text in enumerate(texts):
        parts = text.split("\n")
        kept = "".join(
            line + end
            for line, end in zip(parts, [*["\n"] * (len(parts) - 1), ""], strict=True)
            if keepers.get(line.strip(SPACE), i) == i
        )
        left[f"d{i}"] = kept if kept.strip(" \t\r\n\v\f") or kept == text else None
    return left, keepers


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_texts_are_those_of_brute_force(tmp_path, seed):
    texts = pages(seed)
    result = sift(texts, tmp_path)
    assert all(check.passed for check in verify(result.out)), [c for c in verify(result.out) if not c.passed]
    left, keepers = oracle(texts)
    found = {row["id"]: row["text"] for batch in result.kept() for row in batch.to_pylist()}
    assert found == {name: text for name, text in left.items() if text is not None}
    removed = {row["id"]: (row["stage"], row["reason"]) for row in result.removed.to_pylist()}
    assert removed == {name: ("paragraphs", "emptied") for name, text in left.items() if text is None}
    assert removed
    total = result.ledger.total
    assert total.cut.rows == 0
    assert total.cut.bytes == sum(len(texts[int(n[1:])].encode()) - len(t.encode()) for n, t in found.items())
    assert total.cut.tokens == sum(len(tokens(texts[int(n[1:])])) - len(tokens(t)) for n, t in found.items())
    lines = Counter((row["keeper_id"]) for row in result.edits.to_pylist())
    assert lines.keys() == {f"d{keeper}" for keeper in keepers.values()}
    for row in result.edits.to_pylist():
        text = texts[int(row["id"][1:])].encode()[row["start"] : row["stop"]].decode().strip(SPACE + "\n")
        assert keepers[text] == int(row["keeper_id"][1:])


def test_paragraphs_of_few_rows_and_short_ones_stay(tmp_path):
    texts = [f"{COMMON[0]}\nshort\npage {i} has a line of its own that is long enough" for i in range(6)]
    assert sift(texts, tmp_path, stages=[{"paragraphs": {"rows": 6}}], out="six").edits.num_rows == 0
    cut = sift(texts, tmp_path, stages=[{"paragraphs": {"rows": 5}}], out="five")
    assert cut.edits.num_rows == 5
    assert [row["text"].startswith(COMMON[0]) for batch in cut.kept() for row in batch.to_pylist()].count(True) == 1


def test_the_best_row_keeps_it(tmp_path):
    texts = [f"{COMMON[0]}\npage {i}{' longer' * i}, a line of its own" for i in range(8)]
    result = sift(texts, tmp_path, keep="longest")
    assert {row["keeper_id"] for row in result.edits.to_pylist()} == {"d7"}


def test_after_other_stages_and_with_the_same_bytes(tmp_path):
    texts = pages(4) + pages(4)[:20]
    stages = ["exact", "near", "contained", {"paragraphs": {"rows": 5}}]
    one = sift(texts, tmp_path, stages=stages, out="one")
    assert all(check.passed for check in verify(one.out))
    config = load(one, tmp_path / "two")
    two = plan.run(plan.prepare(config, version=tamis.__version__), lambda work: LocalEngine(work, threads=1), Silent())
    assert digests(one.out) == digests(two)
    assert one.edits.num_rows > 0


def load(result, out):
    from tamis.pipeline.config import load_config

    return load_config(str(result.out / "config.yaml"), overrides=[f"out={out}"])


def test_explained(tmp_path):
    texts = [f"{COMMON[0]}\n{f'page {i} has a line of its own that stays' if i else ''}" for i in range(7)] + [
        COMMON[0]
    ]
    result = sift(texts, tmp_path)
    told = CliRunner().invoke(app, ["explain", str(result.out), "--id", "d7"])
    assert "nothing is left of it but paragraphs that other rows hold" in told.output


def test_cutting_and_marking_are_refused_together(tmp_path):
    with pytest.raises(ConfigError, match="choose one"):
        sift(["a"], tmp_path, annotate=True)
