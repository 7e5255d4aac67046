"""The report: every number on the page is in the JSON, and every one there is counted again from the tables."""

import json
import re
from random import Random

import duckdb
import pyarrow.parquet as pq
import pytest
from corpora import dealt, parquet_folder, random_rows
from page_numbers import look_up, numbers_of
from runs import NEAR, pipeline

import tamis
from tamis.connectors.address import record_of
from tamis.pipeline.report import examples as examples_module
from tamis.pipeline.report.examples import PAGE_BYTES, Examples
from tamis.pipeline.report.page import page
from tamis.pipeline.report.rendering import shown


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    rng = Random(5)
    rows = dealt(rng, [row for _ in range(30) for row in random_rows(rng)], files=3)
    stages = ["exact", {"near": NEAR | {"max_anchors": 4}}]
    inputs = parquet_folder(rows, folder / "in", group_rows=50)
    tamis.run(pipeline(inputs, folder / "out", stages=stages, report={"examples": 2000}))
    return folder / "out"


@pytest.fixture(scope="module")
def report(out):
    return json.loads((out / "report.json").read_text())


def numbers(out):
    return numbers_of((out / "report.html").read_text(encoding="utf-8"))


def test_every_number_of_the_page_is_in_the_json(out, report):
    found = numbers(out).found
    assert len(found) > 100
    for number in found:
        value = look_up(report, number["data-key"])
        assert number["value"] == ("" if value is None else str(value)), number
        assert number["text"] == shown(value, number["data-how"])


def test_no_other_number_is_on_the_page(out, report):
    prose = " ".join(numbers(out).prose).replace(report["version"], "")
    assert [word for word in prose.split() if any(c.isdigit() for c in word)] == []


def test_every_number_can_be_counted_from_the_tables(out, report):
    sql = duckdb.connect()
    for name in ("decisions", "pairs", "clusters", "quarantine"):
        sql.execute(f"CREATE VIEW {name} AS SELECT * FROM '{out}/{name}/*.parquet'")
    sql.execute(f"CREATE VIEW kept AS SELECT * FROM '{out}/index.parquet'")

    def rows(query):
        return [tuple(row) for row in sql.execute(query).fetchall()]

    amounts = "count(*), coalesce(sum(bytes), 0)::BIGINT, coalesce(sum(tokens), 0)::BIGINT"
    everything = "SELECT source, bytes, tokens FROM kept UNION ALL SELECT source, bytes, tokens FROM decisions"
    expected = [
        ("read", *rows(f"SELECT {amounts} FROM ({everything})")[0]),
        ("exact copies", *rows(f"SELECT {amounts} FROM decisions WHERE stage = 'exact'")[0]),
        ("near copies", *rows(f"SELECT {amounts} FROM decisions WHERE stage = 'near'")[0]),
        ("kept", *rows(f"SELECT {amounts} FROM kept")[0]),
    ]
    assert [tuple(line.values()) for line in report["funnel"]] == expected
    each = rows(f"SELECT source, {amounts} FROM ({everything}) GROUP BY 1")
    by_source = {name: tuple(found) for name, *found in each}
    assert {s["name"]: tuple(s["read"].values()) for s in report["sources"]} == by_source
    lost = {name: tuple(found) for name, *found in rows(f"SELECT source, {amounts} FROM decisions GROUP BY 1")}
    assert {s["name"]: tuple(s["lost"].values()) for s in report["sources"] if s["lost"]["rows"]} == lost
    for source in report["sources"]:
        assert source["share_lost"] == round(source["lost"]["bytes"] / source["read"]["bytes"], 4)
    sizes = [size for (size,) in rows("SELECT count(*) FROM clusters GROUP BY cluster")]
    assert report["clusters"]["count"] == len(sizes)
    assert report["clusters"]["rows"] == sum(sizes)
    assert report["clusters"]["largest"] == max(sizes)
    for line in report["clusters"]["sizes"]:
        inside = [size for size in sizes if line["from"] <= size <= line["to"]]
        assert (line["clusters"], line["rows"]) == (len(inside), sum(inside))
    last = report["similarity"]["bins"][-1]
    for line in report["similarity"]["bins"]:
        upper = "<=" if line is last else "<"
        where = f"similarity >= {line['from']} AND similarity {upper} {line['to']}"
        assert line["pairs"] == rows(f"SELECT count(*) FROM pairs WHERE {where}")[0][0]
        assert line["removed"] == rows(f"SELECT count(*) FROM decisions WHERE stage = 'near' AND {where}")[0][0]
    assert report["similarity"]["pairs"] == rows("SELECT count(*) FROM pairs")[0][0]
    chances = [1 - (1 - s**2) ** 32 for (s,) in rows("SELECT similarity FROM pairs")]
    assert report["curve"]["estimated_recall"] == round(len(chances) / sum(1 / p for p in chances), 4)
    assert report["curve"]["recall_at_threshold"] == round(1 - (1 - 0.6**2) ** 32, 4)
    assert (
        report["explorer"]["available"] == rows("SELECT count(*) FROM decisions WHERE keeper_address IS NOT NULL")[0][0]
    )
    assert report["capped_rows"] == json.loads((out / "manifest.json").read_text())["ledger"]["capped_rows"] > 0
    assert report["total_seconds"] == round(sum(step["seconds"] for step in report["steps"]), 3)


def examples_of(out):
    html = (out / "report.html").read_text(encoding="utf-8")
    start = html.index('id="examples">') + len('id="examples">')
    return json.loads(html[start : html.index("</script>", start)])


def test_examples_are_decisions_with_the_texts_of_the_inputs(out, report):
    found = examples_of(out)
    assert len(found) == report["explorer"]["shown"] == report["explorer"]["available"]
    decided = {row["address"]: row for row in pq.read_table(out / "decisions").to_pylist()}
    texts = [pq.read_table(path)["text"].to_pylist() for path in sorted((out.parent / "in").glob("*.parquet"))]
    for pair in found:
        row = decided[pair["gone"]["address"]]
        assert pair["kept"]["address"] == row["keeper_address"]
        assert (pair["stage"], pair["source"], pair["gone"]["id"]) == (row["stage"], row["source"], row["id"])
        for side in (pair["gone"], pair["kept"]):
            whole = texts[side["address"] >> 40][record_of(side["address"])]
            assert side["text"] == whole[:2000]
            assert side["characters"] == len(whole)


def test_examples_are_few_spread_and_the_same_for_equal_runs(tmp_path, out, monkeypatch):
    monkeypatch.setattr(examples_module, "READ_BYTES", 1)
    found = []
    for name in ("a", "b"):
        tamis.run(pipeline(out.parent / "in", tmp_path / name, report={"examples": 7}, threads=len(found) + 1))
        found.append(examples_of(tmp_path / name))
    assert found[0] == found[1]
    assert len(found[0]) == 7
    assert (
        len({pair["gone"]["address"] >> 40 for pair in found[0]} | {p["kept"]["address"] >> 40 for p in found[0]}) == 1
    )


def test_texts_are_left_out_when_asked(tmp_path, out):
    tamis.run(pipeline(out.parent / "in", tmp_path / "out", report={"text": False}))
    assert {(pair["gone"]["text"], pair["kept"]["text"]) for pair in examples_of(tmp_path / "out")} == {(None, None)}
    assert "Texts were left out" in (tmp_path / "out" / "report.html").read_text()


HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>\u2028&lt;"


def test_what_inputs_hold_stays_text(tmp_path, write_parquet):
    words = " ".join(f"word{i}" for i in range(40))
    texts = [f"{HOSTILE} {words}", f"{HOSTILE} {words} more"]
    path = write_parquet("in/a.parquet", text=texts, id=["</script>a", "b"], source=[HOSTILE] * 2)
    tamis.dedup(path, out=tmp_path / "out", id="id", source="source")
    html = (tmp_path / "out" / "report.html").read_text()
    assert html.count("</script>") == html.count("<script") == 2
    assert "<img" not in html
    assert [pair["gone"]["text"] for pair in examples_of(tmp_path / "out")] == [f"{HOSTILE} {words} more"]


def test_texts_of_a_page_have_a_limit(tmp_path, write_parquet):
    base = [" ".join(f"字{i}-{j}" for j in range(400)) for i in range(1000)]
    path = write_parquet("in/a.parquet", text=[text + end for text in base for end in ("", " x", " y")])
    tamis.dedup(path, out=tmp_path / "out")
    size = (tmp_path / "out" / "report.html").stat().st_size
    assert PAGE_BYTES * 0.9 < size < 5_000_000
    shown_pairs = examples_of(tmp_path / "out")
    assert sum(len(side["text"].encode()) for p in shown_pairs for side in (p["gone"], p["kept"])) <= PAGE_BYTES


def test_a_rehearsal_has_a_report(tmp_path, out):
    config = pipeline(out.parent / "in", tmp_path / "out")
    tamis.jobs.api.rehearse(config)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["finished"] is False
    assert "no shards were written" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("stages", [["exact"], [{"near": {"threshold": 0.6, "verify": "none"}}], [{"filter": "false"}]])
def test_pages_of_other_plans(tmp_path, out, stages):
    tamis.run(pipeline(out.parent / "in", tmp_path / "out", stages=stages))
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["similarity"] is None
    found = numbers(tmp_path / "out").found
    assert {number["text"] for number in found if number["data-key"] == "funnel.0.rows"} == {
        f"{report['ledger']['total']['read']['rows']:,}"
    }


def test_an_alarm_comes_first(tmp_path, report, out):
    source = report["sources"][0] | {"alarm": True}
    html = page(report | {"sources": [source]}, Examples(0, []), title="out")
    assert html.index("Sources that lost nearly everything") < html.index("What became of the rows")


def test_an_alarm_says_what_went_to_quarantine(report):
    amount = {"rows": 1234, "bytes": 5, "tokens": 6}
    source = report["sources"][0] | {"alarm": True, "quarantined": amount}
    html = page(report | {"sources": [source]}, Examples(0, []), title="out")
    alarm = html[html.index('<section class="alarm"') : html.index("</section>", html.index('<section class="alarm"'))]
    assert re.sub("<[^>]+>", "", alarm).count("1,234 went to quarantine.") == 1
