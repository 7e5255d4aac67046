"""Documents that hold benchmark items, against a search by strings."""

import json
from collections import Counter, defaultdict
from random import Random
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute_force import tokens
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import tamis
from tamis.hashing.errors import ConfigError, InputError
from tamis.jobs.cli import app
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.benchmark_items import read_items
from tamis.pipeline.config import Decontaminate, make_config
from tamis.pipeline.item_cuts import marking
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

VOCABULARY = [f"w{i}" for i in range(3000)]


def words(rng, count):
    return rng.choices(VOCABULARY, k=count)


def sift(folder, out, *, benchmarks, stages=("exact", "near"), **settings):
    options = {key: settings.pop(key) for key in ("ngram", "shortest", "common", "action") if key in settings}
    config = make_config(
        {
            "inputs": [{"path": str(folder)}],
            "columns": {"text": "text", "id": "id"},
            "stages": [{"stage": "decontaminate", "benchmarks": benchmarks, **options}, *stages],
            "allow_loss": [folder.name],
            "out": str(out),
        }
        | settings
    )
    return Result(plan.run(plan.prepare(config, version=tamis.__version__), LocalEngine, Silent()))


@pytest.fixture
def corpus(tmp_path):
    """Write 300 documents, of which some hold an item or a part of one, and two benchmarks."""
    rng = Random(1)
    items = [words(rng, n) for n in (5, 6, 9, 12, 13, 20, 40, 60, 15, 30)]
    documents = []
    for number in range(300):
        text = words(rng, rng.randint(20, 120))
        if number % 10 == 0:
            item = items[number // 10 % len(items)]
            part = item if number % 20 else item[: max(4, len(item) - 7)]
            at = rng.randint(0, len(text))
            text[at:at] = part
        documents.append(" ".join(text))
    (tmp_path / "in").mkdir()
    pq.write_table(
        pa.table({"id": [f"d{i}" for i in range(300)], "text": documents}),
        tmp_path / "in" / "x.parquet",
        row_group_size=60,
    )
    rows = [{"question": " ".join(items[i]).upper(), "answer": " ".join(items[i + 1])} for i in range(0, 6, 2)]
    (tmp_path / "quiz.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    rest = pa.table({"text": [", ".join(item) for item in items[6:]], "name": [f"q{i}" for i in range(6, 10)]})
    pq.write_table(rest, tmp_path / "tests.parquet")
    benchmarks = [
        {"path": str(tmp_path / "quiz.jsonl"), "columns": ["question", "answer"], "name": "quiz"},
        {"path": str(tmp_path / "tests.parquet"), "id": "name"},
    ]
    owners = [("quiz", "0"), ("quiz", "0"), ("quiz", "1"), ("quiz", "1"), ("quiz", "2"), ("quiz", "2")]
    owners += [("tests.parquet", f"q{i}") for i in range(6, 10)]
    return tmp_path, documents, items, owners, benchmarks


def expected(documents, items, owners, ngram=13, shortest=6):
    """Return the items that each document holds, by joined words: {number: {owner}}."""
    found = {}
    for number, text in enumerate(documents):
        line = " ".join(["", *tokens(text), ""])
        for item, owner in zip(items, owners, strict=True):
            length = min(ngram, len(item))
            grams = [item[i : i + length] for i in range(len(item) - length + 1)] if len(item) >= shortest else []
            if any(" ".join(["", *gram, ""]) in line for gram in grams):
                found.setdefault(f"d{number}", set()).add(owner)
    return found


@pytest.mark.parametrize(("ngram", "shortest"), [(13, 6), (8, 8), (13, 5)])
def test_documents_with_items_go_and_name_them(corpus, ngram, shortest):
    folder, documents, items, owners, benchmarks = corpus
    result = sift(folder / "in", folder / "out", benchmarks=benchmarks, ngram=ngram, shortest=shortest)
    assert all(check.passed for check in verify(result.out))
    wanted = expected(documents, items, owners, ngram, shortest)
    rows = {row["id"]: row for row in result.removed.to_pylist() if row["stage"] == "decontaminate"}
    assert rows.keys() == wanted.keys()
    assert len(rows) > 15
    for name, row in rows.items():
        assert (row["keeper_corpus"], row["keeper_id"]) in wanted[name]
        assert row["reason"] == "contaminated"
        assert row["keeper_address"] is None
        assert 0 < row["similarity"] <= 1


def test_a_table_for_each_benchmark(corpus):
    folder, documents, items, owners, benchmarks = corpus
    result = sift(folder / "in", folder / "out", benchmarks=benchmarks)
    facts = json.loads((result.out / "report.json").read_text())["contamination"]
    wanted = expected(documents, items, owners)
    quiz, tests = facts["benchmarks"]
    assert (quiz["name"], quiz["items"], quiz["unchecked"]) == ("quiz", 3, 0)
    assert (tests["name"], tests["items"], tests["unchecked"]) == ("tests.parquet", 4, 0)
    assert quiz["rows"] + tests["rows"] == len(wanted) == result.ledger.total.dropped["decontaminate"].rows
    assert quiz["rows"] == sum(any(owner[0] == "quiz" for owner in found) for found in wanted.values())
    page = (result.out / "report.html").read_text()
    assert 'data-key="contamination.benchmarks.1.rows"' in page


def test_items_that_are_too_short_are_listed(tmp_path, write_parquet):
    write_parquet("in/x.parquet", id=["a"], text=["three little words and some more of them here"])
    path = write_parquet("b.parquet", text=["three little words", "a text of six words here", ""], key=["x", "y", "z"])
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path), "id": "key"}])
    (line,) = json.loads((result.out / "report.json").read_text())["contamination"]["benchmarks"]
    assert (line["unchecked"], line["unchecked_items"], line["rows"]) == (2, ["x", "z"], 0)


def test_phrases_count_for_nothing_and_are_listed(tmp_path, write_parquet):
    phrase = "all rights reserved by the owner of this page and its many friends"
    rng = Random(2)
    texts = [" ".join(words(rng, 30)) + (f" {phrase}" if i < 12 else "") for i in range(40)]
    write_parquet("in/x.parquet", id=[f"d{i}" for i in range(40)], text=texts)
    secret = " ".join(words(rng, 14))
    texts[39] += f" {secret}"
    write_parquet("in/x.parquet", id=[f"d{i}" for i in range(40)], text=texts)
    path = write_parquet("b.parquet", text=[phrase, secret])
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}])
    assert [row["id"] for row in result.removed.to_pylist()] == ["d39"]
    facts = json.loads((result.out / "report.json").read_text())["contamination"]
    assert facts["phrases"] == 1
    assert facts["most_common"] == [{"benchmark": "b.parquet", "item": "0", "rows": 12}]
    few = sift(tmp_path / "in", tmp_path / "few", benchmarks=[{"path": str(path)}], common=0.5)
    assert len(few.removed) == 13


def test_copies_are_looked_for_in_what_is_left(tmp_path, write_parquet):
    secret = " ".join(f"s{i}" for i in range(20))
    texts = [secret, secret, "a text of its own", "a text of its own"]
    write_parquet("in/x.parquet", id=list("abcd"), text=texts)
    path = write_parquet("b.parquet", text=[secret])
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}])
    assert {row["id"]: row["stage"] for row in result.removed.to_pylist()} == {
        "a": "decontaminate",
        "b": "decontaminate",
        "d": "exact",
    }
    told = CliRunner().invoke(app, ["explain", str(result.out), "--id", "a"])
    assert "it holds 100% of the n-grams of item 0 of b.parquet" in told.output


def test_marked_instead_of_removed(tmp_path, write_parquet):
    secret = " ".join(f"s{i}" for i in range(20))
    write_parquet("in/x.parquet", id=["a", "b"], text=[secret, "something else"])
    path = write_parquet("b.parquet", text=[secret])
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}], annotate=True)
    rows = {row["id"]: row for batch in result.kept() for row in batch.to_pylist()}
    assert rows["a"]["tamis_stage"] == "decontaminate"
    assert rows["b"]["tamis_kept"]


def test_a_changed_benchmark_is_another_run(tmp_path, write_parquet):
    write_parquet("in/x.parquet", id=["a"], text=["one two three four five six seven"])
    path = write_parquet("b.parquet", text=["one two three four five six"])
    assert len(sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}]).removed) == 1
    write_parquet("b.parquet", text=["quite another item with many words"])
    with pytest.raises(tamis.hashing.errors.ArtefactError, match="same configuration"):
        sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}])


def test_missing_columns_are_named(tmp_path, write_parquet):
    write_parquet("in/x.parquet", id=["a"], text=["one two three four five six seven"])
    path = write_parquet("b.parquet", question=["one two three four five six"])
    with pytest.raises(InputError, match="text among question"):
        sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}])


def test_nothing_to_check_is_refused(tmp_path, write_parquet):
    write_parquet("in/x.parquet", id=["a"], text=["one two three four five six seven"])
    path = write_parquet("b.parquet", text=["one two"])
    with pytest.raises(InputError, match="6 words or more"):
        sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}])


def test_lengths_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="must not exceed ngram"):
        sift(tmp_path, tmp_path / "out", benchmarks=[{"path": "b.parquet"}], ngram=5)


def test_copies_of_a_leak_are_one_document(tmp_path, write_parquet):
    """Twelve copies are no phrase: they go, all of them."""
    rng = Random(7)
    secret = " ".join(words(rng, 14))
    texts = [f"a page with {secret} on it"] * 12 + [" ".join(words(rng, 30)) for _ in range(10)]
    write_parquet("in/x.parquet", id=[f"d{i}" for i in range(22)], text=texts)
    path = write_parquet("b.parquet", text=[secret])
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}])
    assert result.ledger.total.dropped["decontaminate"].rows == 12


def test_a_bad_record_of_a_benchmark_is_named(tmp_path, write_parquet):
    write_parquet("in/x.parquet", id=["a"], text=["one two three four five six seven"])
    (tmp_path / "b.jsonl").write_text('{"text": "one two three four five six"}\n{bad\n')
    with pytest.raises(InputError, match="record 1 of"):
        sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(tmp_path / "b.jsonl")}])


def test_lists_are_no_text(tmp_path, write_parquet):
    write_parquet("in/x.parquet", id=["a"], text=["one two three four five six seven"])
    path = write_parquet("b.parquet", text=[["one", "two"]])
    with pytest.raises(InputError, match="hold strings"):
        sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}])


def test_benchmarks_of_one_name_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="names of their own"):
        sift(tmp_path, tmp_path / "out", benchmarks=[{"path": "a/b.parquet"}, {"path": "c/b.parquet"}])


class Word(NamedTuple):
    """A word of a text: how it reads, its characters [start, stop), and whether it is a character that stands alone."""

    word: str
    start: int
    stop: int
    lone: bool


def spelled(text):
    """Return the words of a text."""
    found, opened = [], False
    for at, character in enumerate(text):
        kind = len(tokens(f"a{character}a"))  # in a word, between two, or one of its own
        if kind == 1 and opened:
            found[-1] = found[-1]._replace(stop=at + 1)
        elif kind != 2:
            found.append(Word("", at, at + 1, kind == 3))
        opened = kind == 1
    found = [word._replace(word=" ".join(tokens(text[word.start : word.stop]))) for word in found]
    assert [word.word for word in found] == tokens(text)
    return found


def grams_of(items, ngram, shortest):
    """Return the n-grams of items, and the first item that holds each."""
    owners = {}
    for number, item in enumerate(items):
        words_, length = tokens(item), min(ngram, len(tokens(item)))
        for i in range(len(words_) - length + 1 if len(words_) >= shortest else 0):
            owners.setdefault(tuple(words_[i : i + length]), number)
    return owners


def cuts_of(text, owners, gone=()):
    """Return what items are cut out of a text, as (start, stop, words, item) in characters.

    Args:
        text: as it came.
        owners: n-grams that count, and the first item of each.
        gone: characters that are cut out already.
    """
    found = spelled(text)
    covered, begins = set(), defaultdict(set)
    for length in {len(gram) for gram in owners}:
        for i in range(len(found) - length + 1):
            gram = tuple(word.word for word in found[i : i + length])
            if gram in owners:
                covered |= set(range(i, i + length))
                begins[i].add(owners[gram])
    pieces, item = [], None
    for i, word in enumerate(found):
        if i in covered and i - 1 not in covered:
            item = min(begins[i])
        if i not in covered or word.start in gone:
            continue
        if pieces and pieces[-1][1] == i and not gone & set(range(found[i - 1].stop, word.start)):
            pieces[-1][1] = i + 1
        else:
            pieces.append([i, i + 1, item])
    cuts = []
    for first, stop, item in pieces:
        left, right = found[max(0, first - 1)], found[min(stop, len(found) - 1)]
        touching = left.stop == found[first].start and found[stop - 1].stop == right.start
        if touching and not left.lone and not right.lone:  # they would be one word
            stop -= 1
        if stop > first:
            cuts.append((found[first].start, found[stop - 1].stop, stop - first, item))
    return cuts


def without(text, cuts):
    """Return a text without some characters."""
    places = {at for start, stop, *_ in cuts for at in range(start, stop)}
    return "".join(character for at, character in enumerate(text) if at not in places)


def in_bytes(text, at):
    return len(text[:at].encode())


ITEMS = ["a b", "b c a c", "中 文", "文中文", "c 中", "ab", "A-b 中 c", "a", "b b b b b"]


@pytest.fixture(scope="module")
def small_items(tmp_path_factory):
    """Items of one word and more, to be found by three."""
    folder = tmp_path_factory.mktemp("items")
    pq.write_table(pa.table({"text": ITEMS}), folder / "b.parquet")
    stage = Decontaminate(benchmarks=[{"path": str(folder / "b.parquet")}], ngram=3, shortest=2)
    engine = LocalEngine(folder / "work")
    yield read_items(engine, folder, stage)
    engine.close()


LINES = st.text("ab c中文-xÉ\u0301\t", max_size=12)
LINES |= st.sampled_from(["a", "-", "b", "b c", "a c", "中", "文 中", " b b"])


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.tuples(LINES, st.booleans()), min_size=1, max_size=5), max_size=4))
@example([[("x a", False), ("--", True), ("b x", False)]])  # a cut without words comes between two of an item
@example([[("b中", False), ("c", True), ("文中文b", False)]])
def test_cuts_are_those_of_strings(small_items, rows):
    """Rows are of lines, of which some are cut out already."""
    texts, before = [], []
    for lines in rows:
        texts.append("\n".join(line for line, _ in lines))
        stops = np.cumsum([len(line) + 1 for line, _ in lines]).tolist()
        starts = [0, *stops[:-1]]
        cuts = [*zip(starts, [*stops[:-1], len(texts[-1])], (cut for _, cut in lines), strict=True)]
        before.append([(start, stop) for start, stop, cut in cuts if cut and stop > start])
    packed = [
        np.array([in_bytes(text, at) for cut in cuts for at in cut], np.int64).tobytes() if cuts else None
        for text, cuts in zip(texts, before, strict=True)
    ]
    batch = pa.record_batch(
        {
            "text": pa.array(texts, pa.string()),
            "row": pa.array(range(7, 7 + len(rows)), pa.int64()),
            "__cuts": pa.array(packed, pa.binary()),
        }
    )
    found = marking(small_items, np.array([], np.uint64), "text")(batch).to_pylist()
    owners = grams_of(ITEMS, 3, 2)
    expected = []
    for row, (text, gone) in enumerate(zip(texts, before, strict=True), 7):
        cuts = cuts_of(text, owners, {at for cut in gone for at in range(*cut)})
        expected += [(row, in_bytes(text, a), in_bytes(text, b), n, None, item) for a, b, n, item in cuts]
        left = tokens(without(text, [*gone, *cuts]))
        assert len(left) + sum(n for *_, n, _ in cuts) == len(tokens(without(text, gone)))
    assert [tuple(row.values()) for row in found] == expected


def told(result, name):
    return CliRunner().invoke(app, ["explain", str(result.out), "--id", name]).output.splitlines()


def shards(result):
    return {row["id"]: row["text"] for batch in result.kept() for row in batch.to_pylist()}


def faults(result):
    return [check for check in verify(result.out) if not check.passed]


QUESTION = "How many sacks of rye does the miller weigh behind the station before sunrise?"
ANSWER = "Two, and the ferryman counts them."


def test_items_are_cut_out(tmp_path, write_parquet):
    texts = [
        "Forum: how many SACKS of rye, does the miller weigh behind the station before sunrise? Nobody knew.\n",
        f"{QUESTION}\n",
        "Nothing of a quiz.",
        f"Quiz – {QUESTION} {ANSWER} – end",
        f"Weigh behind the station before sunrise. {ANSWER}",
    ]
    write_parquet("in/x.parquet", id=list("abcde"), text=texts)
    path = write_parquet("quiz.parquet", question=[QUESTION], answer=[ANSWER], key=["q1"])
    benchmarks = [{"path": str(path), "columns": ["question", "answer"], "id": "key"}]
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=benchmarks, action="cut")
    assert not faults(result)
    assert shards(result) == {
        "a": "Forum: ? Nobody knew.\n",
        "b": "?\n",
        "c": "Nothing of a quiz.",
        "d": "Quiz – . – end",
        "e": "Weigh behind the station before sunrise. .",
    }
    assert [tuple(row.values())[1:] for row in result.edits.to_pylist()] == [
        ("a", 7, 85, 14, "decontaminate", "contaminated", None, "q1", "quiz.parquet"),
        ("b", 0, 77, 14, "decontaminate", "contaminated", None, "q1", "quiz.parquet"),
        ("d", 9, 121, 20, "decontaminate", "contaminated", None, "q1", "quiz.parquet"),
        ("e", 41, 74, 6, "decontaminate", "contaminated", None, "q1", "quiz.parquet"),
    ]
    cut = result.ledger.total.cut
    assert (cut.rows, cut.bytes, cut.tokens) == (0, 300, 54)
    assert result.removed.num_rows == 0
    facts = json.loads((result.out / "report.json").read_text())["contamination"]
    assert (facts["action"], facts["benchmarks"][0]["rows"], facts["benchmarks"][0]["found"]) == ("cut", 4, 1)
    page = (result.out / "report.html").read_text()
    assert "rows that hold one" in page
    assert 'rows removed</th></tr></thead><tbody>\n\n<tr><th scope="row">quiz' not in page
    assert told(result, "a") == [
        "a (x.parquet:0) was kept.",
        "Bytes 7 to 85 were cut out: words of item q1 of quiz.parquet.",
    ]


def small_corpus(seed):
    """Return items of few words, and texts of lines that repeat and words that may stand close together."""
    rng = Random(seed)
    vocabulary = ["der", "Müller", "misst", "x", "中", "文", "字", "œuvre", "42", "und"]

    def some(least, most):
        return [rng.choice(vocabulary) for _ in range(rng.randint(least, most))]

    def joined(words_):
        return "".join(word + rng.choice([" ", " ", ", ", "\t", "" if word in "中文字" else " "]) for word in words_)

    items = [some(2, 9) for _ in range(12)]
    notices = [f"- notice {i} {' '.join(items[i])} -" for i in range(3)] + ["-" * 30, "... nothing but a line"]
    texts = []
    for _ in range(70):
        lines = [joined(some(0, 14)) for _ in range(rng.randint(1, 3))]
        if rng.random() < 0.5:
            at = rng.randint(0, len(lines))
            lines[at:at] = [joined([*some(0, 3), *rng.choice(items), *some(0, 2)])]
        if rng.random() < 0.2:
            lines = [" ".join(rng.choice(items))]
        lines += rng.sample(notices, rng.randint(0, 2))
        rng.shuffle(lines)
        texts.append("\n".join(lines))
    return items, texts + texts[:4]


def repeated_lines(texts, rows, least):
    """Return the (start, stop, keeper) of the lines that are cut out of each text, in characters."""
    holders, found = defaultdict(list), []
    for i, text in enumerate(texts):
        at = 0
        for line in text.split("\n"):
            found.append((i, at, min(len(text), at + len(line) + 1), line.strip(" \t\r")))
            at += len(line) + 1
    for i, _, _, line in found:
        if len(line.encode()) >= least:
            holders[line].append(i)
    cuts = [[] for _ in texts]
    for i, start, stop, line in found:
        if len(set(holders[line])) > rows and i != holders[line][0]:
            cuts[i].append((start, stop, holders[line][0]))
    return cuts


@pytest.mark.parametrize("paragraphs", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_texts_are_those_of_brute_force(tmp_path, write_parquet, seed, paragraphs):
    items, texts = small_corpus(seed)
    write_parquet("in/x.parquet", id=[f"d{i}" for i in range(len(texts))], text=texts)
    path = write_parquet("b.parquet", text=[" ".join(item) for item in items])
    stages = [{"paragraphs": {"rows": 5, "min_bytes": 10}}] if paragraphs else []
    options = {"benchmarks": [{"path": str(path)}], "ngram": 4, "shortest": 3, "common": 0.25}
    result = sift(tmp_path / "in", tmp_path / "out", stages=stages, action="cut", **options)
    assert not faults(result)

    owners = grams_of([" ".join(item) for item in items], 4, 3)
    spoken = [[word.word for word in spelled(text)] for text in dict.fromkeys(texts)]
    counts = Counter(
        gram
        for words_ in spoken
        for gram in owners.keys() & {tuple(words_[i : i + n]) for n in (3, 4) for i in range(len(words_) - n + 1)}
    )
    owners = {gram: item for gram, item in owners.items() if counts[gram] <= max(10, int(0.25 * len(texts)))}
    lines = repeated_lines(texts, 5, 10) if paragraphs else [[] for _ in texts]
    left, edits, removed = {}, [], {}
    for i, (text, gone) in enumerate(zip(texts, lines, strict=True)):
        cuts = cuts_of(text, owners, {at for start, stop, _ in gone for at in range(start, stop)})
        rest = without(text, [*gone, *cuts])
        if (gone or cuts) and not rest.strip():
            removed[f"d{i}"] = "decontaminate" if cuts else "paragraphs"
        else:
            left[f"d{i}"] = rest
        of_row = [(a, b, "paragraphs", "repeated-paragraph", f"d{keeper}", None) for a, b, keeper in gone]
        of_row += [(a, b, "decontaminate", "contaminated", f"{item}", "b.parquet") for a, b, _, item in cuts]
        edits += [(f"d{i}", in_bytes(text, a), in_bytes(text, b), *rest) for a, b, *rest in sorted(of_row)]
    assert shards(result) == left
    columns = ("id", "start", "stop", "stage", "reason", "keeper_id", "keeper_corpus")
    assert [tuple(row[name] for name in columns) for row in result.edits.to_pylist()] == edits
    assert {row["id"]: row["stage"] for row in result.removed.to_pylist()} == removed
    assert "decontaminate" in removed.values()
    assert sum(edit[3] == "decontaminate" for edit in edits) > 20
    total = result.ledger.total
    texts_of = {f"d{i}": text for i, text in enumerate(texts)}
    assert total.cut.tokens == sum(len(tokens(texts_of[name])) - len(tokens(text)) for name, text in left.items())
    assert total.cut.bytes == sum(len(texts_of[name].encode()) - len(text.encode()) for name, text in left.items())
    for row in result.removed.to_pylist():
        if row["stage"] == "decontaminate":
            assert (row["reason"], row["keeper_corpus"]) == ("contaminated", "b.parquet")
            assert 0 < row["similarity"] <= 1
            assert row["tokens"] == len(tokens(texts_of[row["id"]]))


def test_copies_are_looked_for_in_texts_as_they_came_where_items_are_cut(tmp_path, write_parquet):
    """A row that is emptied in the end keeps its copies out; so does what it was like."""
    secret = " ".join(f"s{i}" for i in range(20))
    rest = " ".join(f"r{i}" for i in range(20))
    near = f"{secret} {rest}"
    texts = [secret, secret, near, f"{near} end", f"{rest} own"]
    write_parquet("in/x.parquet", id=list("abcde"), text=texts)
    path = write_parquet("b.parquet", text=[secret])
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}], action="cut")
    assert not faults(result)
    assert {row["id"]: (row["stage"], row["keeper_id"]) for row in result.removed.to_pylist()} == {
        "a": ("decontaminate", "0"),
        "b": ("exact", "a"),
        "d": ("near", "c"),
    }
    assert shards(result) == {"c": f" {rest}", "e": f"{rest} own"}
    assert told(result, "a")[0] == "a (x.parquet:0) was removed: it holds 100% of the n-grams of item 0 of b.parquet."
    assert told(result, "b")[:3] == [
        "b (x.parquet:1) was removed by the stage `exact` (similarity 1.0000).",
        "In its place stays a (x.parquet:0).",
        "  which the stage `decontaminate` removed later (similarity 1.0000): nothing of it stays.",
    ]


def test_what_keeps_a_paragraph_may_be_emptied_for_an_item(tmp_path, write_parquet):
    secret = " ".join(f"secret-{i}" for i in range(20))
    texts = [secret, *(f"{secret}\npage {i} goes on" for i in range(6))]
    write_parquet("in/x.parquet", id=[f"d{i}" for i in range(7)], text=texts)
    path = write_parquet("b.parquet", text=[secret])
    stages = [{"paragraphs": {"rows": 5}}]
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}], action="cut", stages=stages)
    assert not faults(result)
    assert [(row["id"], row["stage"]) for row in result.removed.to_pylist()] == [("d0", "decontaminate")]
    assert shards(result) == {f"d{i + 1}": f"page {i} goes on" for i in range(6)}
    assert {(row["stage"], row["keeper_id"]) for row in result.edits.to_pylist()} == {
        ("decontaminate", "0"),
        ("paragraphs", "d0"),
    }
    assert told(result, "d1") == [
        "d1 (x.parquet:1) was kept.",
        f"Bytes 0 to {len(secret) + 1} were cut out: a paragraph that d0 (x.parquet:0) keeps.",
    ]


def test_many_cuts_are_told_in_short(tmp_path, write_parquet):
    secret = " ".join(f"s{i}" for i in range(6))
    write_parquet("in/x.parquet", id=["a"], text=[" and ".join([secret] * 23)])
    path = write_parquet("b.parquet", text=[secret])
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}], action="cut")
    assert shards(result) == {"a": " and " * 22}
    lines = told(result, "a")
    assert lines[1] == "Bytes 0 to 17 were cut out: words of item 0 of b.parquet."
    assert lines[21:] == ["And 3 more cuts; edits/ lists them."]
    (facts,) = json.loads(CliRunner().invoke(app, ["explain", str(result.out), "--id", "a", "--json"]).output)
    assert (len(facts["cuts"]), facts["cut_count"]) == (20, 23)
    assert facts["cuts"][1] == {
        "address": 0,
        "id": "a",
        "start": 22,
        "stop": 39,
        "tokens": 6,
        "stage": "decontaminate",
        "reason": "contaminated",
        "keeper_address": None,
        "keeper_id": "0",
        "keeper_corpus": "b.parquet",
        "where": "x.parquet:0",
    }


def test_what_a_removed_row_was_like_may_be_emptied_later(tmp_path, write_parquet):
    item, other = (" ".join(f"{name}{i}" for i in range(30)) for name in "st")
    write_parquet("in/x.parquet", id=list("abc"), text=[other, item, f"{item} {other}"])
    path = write_parquet("b.parquet", text=[item])
    stages = [{"near": {"threshold": 0.4, "values": 64, "bands": 64, "rows": 1}}]
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}], action="cut", stages=stages)
    assert not faults(result)
    assert {row["id"]: row["stage"] for row in result.removed.to_pylist()} == {"b": "decontaminate", "c": "near"}
    assert told(result, "c")[:3] == [
        "c (x.parquet:2) was removed by the stage `near` (similarity 0.4643).",
        "In its place stays a (x.parquet:0).",
        "It is like b (x.parquet:1) (similarity 0.4643), which the stage `decontaminate` removed later.",
    ]


def test_nothing_to_cut(tmp_path, write_parquet):
    write_parquet("in/x.parquet", id=["a"], text=["one two three four five six seven"])
    path = write_parquet("b.parquet", text=["quite another item with many words"])
    result = sift(tmp_path / "in", tmp_path / "out", benchmarks=[{"path": str(path)}], action="cut")
    assert not faults(result)
    assert (result.edits.num_rows, shards(result)) == (0, {"a": "one two three four five six seven"})


def test_cutting_and_marking_are_refused_together(tmp_path):
    with pytest.raises(ConfigError, match="`decontaminate` with `action: cut` cuts them: choose one"):
        sift(tmp_path, tmp_path / "out", benchmarks=[{"path": "b.parquet"}], action="cut", annotate=True)


def test_runs_that_cut_nothing_are_what_they_were():
    def decisive(**options):
        stage = {"stage": "decontaminate", "benchmarks": [{"path": "b.parquet"}], **options}
        return make_config({"inputs": [{"path": "x"}], "stages": [stage]}).decisive()["stages"]

    assert decisive() == decisive(action="drop")
    assert "action" not in decisive()[0]
    assert decisive(action="cut")[0]["action"] == "cut"


def test_rows_with_items_join_an_index_where_items_are_cut(tmp_path, write_parquet):
    secret = " ".join(f"s{i}" for i in range(20))
    write_parquet("in/x.parquet", id=["a", "b"], text=[f"page {secret}", "something else that is long enough"])
    path = write_parquet("b.parquet", text=[secret])
    rows = {}
    for action in ("drop", "cut"):
        index = {"path": str(tmp_path / f"{action}-index"), "create": {"kind": "lsh"}}
        stages = ["exact", {"near": {"index": index}}]
        options = {"benchmarks": [{"path": str(path)}], "action": action, "stages": stages}
        sift(tmp_path / "in", tmp_path / action, **options)
        again = {**options, "benchmarks": [{"path": str(path), "name": "again"}]}
        result = sift(tmp_path / "in", tmp_path / f"{action}-again", **again)
        rows[action] = {row["id"]: (row["stage"], row["reason"]) for row in result.removed.to_pylist()}
    exact = ("exact", "exact-duplicate")
    assert rows == {"drop": {"a": ("decontaminate", "contaminated"), "b": exact}, "cut": {"a": exact, "b": exact}}
