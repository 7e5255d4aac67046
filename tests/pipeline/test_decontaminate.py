"""Documents that hold benchmark items, against a search by strings."""

import json
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute_force import tokens
from typer.testing import CliRunner

import tamis
from tamis.hashing.errors import ConfigError, InputError
from tamis.jobs.cli import app
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

VOCABULARY = [f"w{i}" for i in range(3000)]


def words(rng, count):
    return rng.choices(VOCABULARY, k=count)


def sift(folder, out, *, benchmarks, stages=("exact", "near"), **settings):
    options = {key: settings.pop(key) for key in ("ngram", "shortest", "common") if key in settings}
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
