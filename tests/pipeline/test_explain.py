"""Why a record was kept or removed."""

import json
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute_force import jaccard, shingles
from corpora import dealt, parquet_folder, random_rows
from runs import pipeline

import tamis
from tamis.hashing.errors import InputError
from tamis.jobs.api import run
from tamis.jobs.cli import app
from tamis.jobs.explained import differences, lines_of
from tamis.jobs.look import Inputs
from tamis.pipeline.config import make_config
from tamis.pipeline.explain import explain, facts_of, find

WORDS = [f"word{i}" for i in range(40)]


def text(*changes):
    """Return a text of forty words of which some are others."""
    words = list(WORDS)
    for place in changes:
        words[place] = f"other{place}"
    return " ".join(words)


@pytest.fixture
def chain(tmp_path, write_parquet):
    """A is like B and B like C, but A and C are not alike; D equals C, E breaks a rule, F fails the filter."""
    rows = {
        "a": text(),
        "b": text(10),
        "c": text(10, 25),
        "d": text(10, 25),
        "e": None,
        "f": "short",
    }
    path = write_parquet("in/x.parquet", id=list(rows), text=list(rows.values()))
    where = "text IS NULL OR text != 'short'"
    return tamis.dedup(path, out=tmp_path / "out", id="id", threshold=0.7, on_error="quarantine", where=where)


def judged(result, name):
    (address,) = find(result, name)
    return explain(result, address)


def said(result, name):
    return list(lines_of(judged(result, name), result.where))


def test_each_fate_is_told(chain):
    assert said(chain, "a") == ["x.parquet:0 was kept.", "It stays in the place of 1: b (x.parquet:1)."]
    assert said(chain, "b") == [
        "b (x.parquet:1) was removed by the stage `near` (similarity 0.7561).",
        "In its place stays a (x.parquet:0).",
    ]
    assert said(chain, "c") == [
        "x.parquet:2 was kept.",
        "It is like b (x.parquet:1) (similarity 0.7561), which would have stayed in its place, "
        "but was itself removed for a (x.parquet:0).",
        "It stays in the place of 1: d (x.parquet:3).",
    ]
    assert said(chain, "d") == [
        "d (x.parquet:3) was removed by the stage `exact` (similarity 1.0000).",
        "In its place stays c (x.parquet:2).",
    ]
    assert said(chain, "e") == ["e (x.parquet:4) was set aside: it broke the rule `null-text`."]
    assert said(chain, "f") == [
        "f (x.parquet:5) was removed by a filter: it does not meet text IS NULL OR text != 'short'."
    ]


def test_a_keeper_that_went_later_is_followed(tmp_path, write_parquet):
    path = write_parquet("in/x.parquet", id=["a", "b", "c"], text=[text(), text(20), text(20)])
    result = tamis.dedup(path, out=tmp_path / "out", id="id", threshold=0.7)
    verdict = judged(result, "c")
    assert said(result, "c") == [
        "c (x.parquet:2) was removed by the stage `exact` (similarity 1.0000).",
        "In its place stays b (x.parquet:1).",
        "  which the stage `near` removed later (similarity 0.7561): in the end, a (x.parquet:0) stays.",
    ]
    assert verdict.stays == 0
    facts = facts_of(verdict, result.where)
    assert (facts["fate"], facts["decision"]["keeper_where"]) == ("removed", "x.parquet:1")
    assert facts["chain"][0]["keeper_id"] == "a"


def test_what_was_there_already_is_named(tmp_path, write_parquet):
    old = write_parquet("old/o.parquet", id=["o"], text=[text()])
    new = write_parquet("new/n.parquet", id=["n"], text=[text(20)])
    result = tamis.dedup(new, out=tmp_path / "out", id="id", threshold=0.7, against=old, allow_loss=["n.parquet"])
    assert said(result, "n")[1] == "In its place stays o (o.parquet:0), there already in o.parquet."
    assert said(result, "o.parquet:0")[0].startswith("o.parquet:0 was there already")


def test_records_without_ids_are_named_by_their_place(chain):
    assert find(chain, "x.parquet:3") == find(chain, "d") == [3]
    with pytest.raises(InputError, match="a record is named by its id"):
        find(chain, "nobody")
    with pytest.raises(InputError, match="a record is named by its id"):
        find(chain, "x.parquet:6")


def test_all_records_of_an_id_are_found(tmp_path, write_parquet):
    path = write_parquet("in/x.parquet", id=[7, 7, 8], text=[text(), text(), text(1, 9, 17, 25, 33)])
    result = tamis.dedup(path, out=tmp_path / "out", id="id")
    assert find(result, "7") == [0, 1]
    assert [explain(result, address).fate for address in find(result, "7")] == ["kept", "removed"]


def test_texts_are_compared_as_the_run_did(chain):
    inputs = Inputs(chain)
    texts = inputs.texts([0, 1])
    assert texts == {0: text(), 1: text(10)}
    comparison = inputs.compared([texts[1], texts[0]])
    assert (comparison.shared, comparison.all) == (31, 41)
    assert comparison.similarity == 31 / 41 == chain.pairs["similarity"][0].as_py()
    assert 0 < len(comparison.bands) <= comparison.of == chain.manifest["settings"]["banding"][0]


def test_every_near_removal_shares_a_band_and_the_similarity_is_exact(tmp_path):
    rng = Random(3)
    rows = dealt(rng, [row for _ in range(6) for row in random_rows(rng)], files=2)
    result = tamis.run(pipeline(parquet_folder(rows, tmp_path / "in"), tmp_path / "out"))
    inputs = Inputs(result)
    near = [row for row in result.removed.to_pylist() if row["stage"] == "near"]
    assert near
    texts = inputs.texts([row[key] for row in near for key in ("address", "keeper_address")])
    by_address = {row.address: row for row in rows}
    for row in near:
        sides = [texts[row["address"]], texts[row["keeper_address"]]]
        assert sides == [by_address[row[key]].text for key in ("address", "keeper_address")]
        found = inputs.compared(sides)
        assert found.bands
        assert found.similarity == row["similarity"] == jaccard(*map(shingles, sides))


def test_changed_inputs_give_no_texts(chain):
    (path,) = (chain.out.parent / "in").iterdir()
    pq.write_table(pa.table({"id": ["a"], "text": ["b"]}), path)
    inputs = Inputs(chain)
    assert inputs.texts([0]) == {}
    assert "no longer those of the run" in inputs.why
    path.unlink()
    assert "cannot be read" in Inputs(chain).why


def test_differences_keep_both_texts():
    first, second = "the old cat sat\non  the mat", "the cat sat\non  a mat!"
    shown = differences(first, second).plain
    assert shown == "the[- old-] cat sat\non  [-the-]{+a+} mat{+!+}"


def test_long_texts_are_compared_to_their_ends_and_shown_where_they_differ(tmp_path, write_parquet, capsys):
    long = " ".join(f"word{n}" for n in range(60_000))
    path = write_parquet("in/x.parquet", id=["a", "b"], text=[long, f"{long} and a tail"])
    result = tamis.dedup(path, out=tmp_path / "out", id="id")
    app(["explain", str(result.out), "--id", "b"], standalone_mode=False)
    shown = capsys.readouterr().out
    assert "They share 59,996 of 59,999 shingles: similarity 0.9999;" in shown
    assert "The texts are equal." not in shown
    assert shown.rstrip().endswith("word59998 word59999[- and a tail-]")
    start = long.rindex(" ", 0, len(long) - 400) + 1
    assert f"... the first {start:,} characters are equal ..." in shown


def test_long_texts_are_shown_from_their_first_difference():
    words = [f"w{n}" for n in range(100_000)]
    shown = differences(" ".join(words[:90] + ["x"] + words[90:]), " ".join(words)).plain
    assert shown.startswith(" ...  w78 w79")
    assert "w88 w89[- x-] w90 w91" in shown
    assert shown.endswith("... and more, which is not shown.")


def test_on_the_command_line(chain, capsys):
    assert app(["explain", str(chain.out), "--id", "b"], standalone_mode=False) is None
    shown = capsys.readouterr().out
    assert "b (x.parquet:1) was removed by the stage `near` (similarity 0.7561)." in shown
    assert "They share 31 of 41 shingles: similarity 0.7561;" in shown
    assert "[-other10-]{+word10+}" in shown
    app(["explain", str(chain.out), "--id", "b", "--json"], standalone_mode=False)
    (facts,) = json.loads(capsys.readouterr().out)
    assert (facts["fate"], facts["decision"]["keeper_id"], facts["where"]) == ("removed", "a", "x.parquet:1")


def test_a_kept_record_that_was_not_sampled_is_found_by_its_id(tmp_path, write_parquet):
    path = write_parquet("in/x.parquet", id=[f"x{i}" for i in range(40)], text=[f"a text {i}" for i in range(40)])
    config = {
        "inputs": [{"path": str(path)}],
        "columns": {"id": "id"},
        "stages": [],
        "shards": {"sample": 0.5},
        "out": str(tmp_path / "out"),
    }
    result = run(make_config(config))
    left = pq.read_table(result.out / "unsampled")["id"].to_pylist()
    assert left
    assert judged(result, left[0]).fate == "not sampled"
