"""The page of a scan: every number on it is in the JSON files or is counted again from the Parquet files."""

import json
import shutil

import duckdb
import networkx as nx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from page_numbers import look_up, numbers_of
from planted_found import big, refuted, star, write_found
from planted_lake import write_lake
from typer.testing import CliRunner

from tamis.hashing.errors import ArtefactError
from tamis.jobs.cli import app
from tamis.pipeline.lake.page import page_facts, write_page
from tamis.pipeline.lake.page_tables import direct_parents, read_tables
from tamis.pipeline.report.rendering import shown

ODD = (
    "<b>bold</b>.parquet",
    "\"quotes\" & 'more'.csv",
    "</script><script>alert(1)</script>",
    "données/漢字 \u2028 ‮evil",
)
NO_OTHERS = {"inside, renamed": 0, "not refuted": 0}


def call(*arguments):
    done = CliRunner().invoke(app, ["lake", *map(str, arguments)])
    assert done.exit_code == 0, (done.output, done.exception)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Return a folder with a planted lake, its truth, and a table with faults."""
    folder = tmp_path_factory.mktemp("lake")
    truth = write_lake(folder / "lake", 11, 40)
    (folder / "lake" / "ragged.csv").write_text("id,city\n1,a\n2\n3,c\n")
    return folder, truth


@pytest.fixture(scope="module")
def found(lake):
    call("scan", lake[0] / "lake", "--out", lake[0] / "found", "--quiet")
    return lake[0] / "found"


def rows_of(html, name="pairs-data"):
    start = html.index(f'id="{name}">') + len(f'id="{name}">')
    return json.loads(html[start : html.index("</script>", start)])


def check_numbers(folder, *, with_plan=False, least=20):
    """Every number of the page is a fact, shown as it should be, and no other number is on it."""
    facts, _ = page_facts(folder, with_plan=with_plan)
    page = numbers_of((folder / "report.html").read_text(encoding="utf-8"), names=("code", "h1", "title"))
    assert len(page.found) >= least
    for number in page.found:
        value = look_up(facts, number["data-key"])
        assert number["value"] == ("" if value is None else str(value)), number
        assert number["text"] == shown(value, number["data-how"])
    assert [word for word in " ".join(page.prose).split() if any(c.isdigit() for c in word)] == []
    return facts


def test_every_number_is_a_fact(found):
    facts = check_numbers(found, least=40)
    assert facts["lake"] == json.loads((found / "lake.json").read_text())
    assert facts["measured"] == json.loads((found / "measured.json").read_text())


def test_facts_can_be_counted_from_the_tables(found):
    facts, made = page_facts(found)
    sql = duckdb.connect()
    for name in ("tables", "groups", "containment", "quarantine"):
        sql.execute(f"CREATE VIEW {name} AS SELECT * FROM '{found}/{name}.parquet'")
    sql.execute(
        """CREATE VIEW placed AS SELECT g."table", g."group", t.bytes, t.rows,
        g."table" = min(g."table") OVER (PARTITION BY g."group") AS first
        FROM groups g JOIN tables t ON g."table" = t."table";
        CREATE VIEW inside AS SELECT DISTINCT c."group" AS "group", p."group" AS parent FROM containment x
        JOIN groups c ON x.child = c."table" JOIN groups p ON x.parent = p."table"
        WHERE x.status = 'verified' AND c."group" != p."group";
        CREATE VIEW goes AS SELECT * FROM placed WHERE NOT first OR "group" IN (SELECT "group" FROM inside)"""
    )

    def rows(query):
        return [tuple(row) for row in sql.execute(query).fetchall()]

    (copies, contained, size) = rows(
        "SELECT count(*) FILTER (NOT first), count(*) FILTER (first), sum(bytes)::BIGINT FROM goes"
    )[0]
    assert min(copies, contained, size) > 0
    assert facts["could_go"] == {
        "copies": copies,
        "contained": contained,
        "tables": copies + contained,
        "bytes": size,
        "share": round(size / facts["lake"]["tables"]["bytes"], 4),
    }
    by_state = rows("SELECT state, count(*), sum(bytes)::BIGINT FROM tables GROUP BY 1")
    assert sorted(tuple(line.values()) for line in facts["states"]) == sorted(by_state)
    unreadable = rows("SELECT \"table\", why FROM tables WHERE state = 'unreadable'")
    assert [tuple(line.values()) for line in facts["unreadable"]] == unreadable
    assert facts["quarantine"]["records"] == rows("SELECT count(*) FROM quarantine")[0][0]
    by_rule = rows("SELECT rule, count(*) FROM quarantine GROUP BY 1 ORDER BY 2 DESC, 1")
    assert [(line["rule"], line["records"]) for line in facts["quarantine"]["rules"]] == by_rule
    expected = rows(
        """SELECT c."table", p."table", c.rows, c.bytes, 'equal copy' FROM placed c JOIN placed p USING ("group")
        WHERE p.first AND NOT c.first
        UNION ALL SELECT c."table", p."table", c.rows, c.bytes, 'inside' FROM inside i
        JOIN placed c ON i."group" = c."group" JOIN placed p ON i.parent = p."group" WHERE c.first AND p.first"""
    )
    assert sorted(map(tuple, made["pairs"])) == sorted(expected)
    assert facts["pairs"]["by_status"] == {"equal copy": copies, "inside": len(rows("FROM inside")), **NO_OTHERS}
    near = rows(
        """SELECT child, parent, witness FROM containment WHERE status = 'refuted'
        ORDER BY coalesce(containment, estimate, 0) DESC, child, parent LIMIT 100"""
    )
    assert [(line["child"], line["parent"], line["witness"]) for line in facts["near"]["lines"]] == near
    assert facts["near"]["all"] == rows("SELECT count(*) FROM containment WHERE status = 'refuted'")[0][0]
    drawn = rows("""SELECT count(DISTINCT "group") FROM placed
        WHERE NOT first OR "group" IN (SELECT "group" FROM inside) OR "group" IN (SELECT parent FROM inside)""")[0][0]
    assert (facts["graph"]["nodes"], facts["graph"]["left_out"]) == (drawn, 0)


def test_what_could_go_is_what_the_lake_holds(lake, found):
    truth = lake[1]
    equal = {name: group for group in truth.equal_sets for name in group}
    inside = {
        child for parent, child in truth.as_sets if child not in truth.empty and parent not in equal.get(child, ())
    }
    copies = {name for group in truth.equal_sets if not truth.empty & set(group) for name in sorted(group)[1:]}
    goes = page_facts(found)[0]["could_go"]
    assert goes["copies"] == len(copies)
    assert goes["contained"] == len(inside - copies)
    paths = [path for name in inside | copies for path in [lake[0] / "lake" / name]]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.*"))]
    assert goes["bytes"] == sum(file.stat().st_size for file in files)


def test_closure_and_threads_change_nothing(lake, found, tmp_path):
    call("scan", lake[0] / "lake", "--out", tmp_path / "all", "--closure", "--threads", 1, "--quiet")
    shutil.copy(found / "measured.json", tmp_path / "all")
    call("report", tmp_path / "all")
    assert (tmp_path / "all" / "report.html").read_bytes() == (found / "report.html").read_bytes()


def test_what_was_not_refuted_is_not_called_inside(tmp_path):
    tables = [{"table": f"t{i}", "group": i, "bytes": 100 * i} for i in range(4)]
    sample = {"child": "t2", "parent": "t0", "status": "not_refuted", "estimate": 1.0, "bound": 0.01, "missing": 0}
    folder = write_found(tmp_path / "found", tables, [("t1", "t0")], [sample, refuted("t3", "t0", None, 2)])
    write_page(folder)
    facts = check_numbers(folder)
    assert rows_of((folder / "report.html").read_text()) == [
        ["t2", "t0", 10, 200, "not refuted"],
        ["t1", "t0", 10, 100, "inside"],
    ]
    assert facts["pairs"]["by_status"] == {"equal copy": 0, "inside": 1} | NO_OTHERS | {"not refuted": 1}
    assert facts["could_go"]["bytes"] == 100
    assert [line["child"] for line in facts["near"]["lines"]] == ["t3"]


def test_other_names_of_columns_and_unknown_states(tmp_path):
    tables = [{"table": f"t{i}", "group": i} for i in range(2)]
    tables += [{"table": "t2", "state": "apart"}, {"table": "t3", "state": "new"}]
    folder = write_found(tmp_path / "found", tables, [("t1", "t0"), ("t2", "t0")])
    pairs = pq.read_table(folder / "containment.parquet")
    pairs = pairs.drop_columns([name for name in pairs.column_names if name == "columns"])
    names = pa.array([None, '{"a": "b"}'])
    pq.write_table(pairs.append_column("columns", names), folder / "containment.parquet")
    write_page(folder)
    facts = check_numbers(folder)
    assert [line["state"] for line in facts["states"]] == ["compared", "apart", "new"]
    assert facts["could_go"]["tables"] == 1
    assert [row[:2] + row[4:] for row in rows_of((folder / "report.html").read_text())] == [
        ["t1", "t0", "inside"],
        ["t2", "t0", "inside, renamed"],
    ]


@pytest.mark.parametrize("seed", range(5))
def test_parents_are_the_transitive_reduction(tmp_path, seed):
    graph = nx.gnp_random_graph(25, 0.25, seed=seed, directed=True)
    order = nx.DiGraph((a, b) for a, b in graph.edges if a > b)  # a lies inside b
    tables = [{"table": f"t{i:02}", "group": i} for i in range(25)]
    reduced = nx.transitive_reduction(order)
    for name, edges in (("direct", reduced.edges), ("all", nx.transitive_closure(order).edges)):
        folder = write_found(tmp_path / name, tables, [(f"t{child:02}", f"t{parent:02}") for child, parent in edges])
        parents = direct_parents(folder, read_tables(folder))
        assert {(child, parent) for child, above in parents.items() for parent in above} == set(reduced.edges)


def test_a_lake_without_copies(tmp_path):
    folder = write_found(tmp_path / "found", [{"table": "a.csv", "state": "alone"}])
    write_page(folder)
    facts = check_numbers(folder, least=15)
    assert facts["could_go"] == {"copies": 0, "contained": 0, "tables": 0, "bytes": 0, "share": 0.0}
    html = (folder / "report.html").read_text()
    assert "<svg" not in html
    assert "No table is equal to another" in html


def test_odd_names_stay_names(tmp_path):
    tables = [{"table": name, "group": i, "columns": [name]} for i, name in enumerate(ODD)]
    tables.append({"table": "bad <i>", "state": "unreadable", "why": "found <img src=x onerror=alert(1)>"})
    inside = [(ODD[1], ODD[0]), (ODD[2], ODD[0])]
    folder = write_found(
        tmp_path / "found", tables, inside, [refuted(ODD[3], ODD[0], 0.99999, 3)], lakes=["<lake> & co"]
    )
    write_page(folder)
    html = (folder / "report.html").read_text(encoding="utf-8")
    for raw in ("<b>bold", "<script>alert", "<img", "<i>", "<lake>"):
        assert raw not in html
    assert [row[:2] for row in rows_of(html)] == [list(pair) for pair in inside]
    assert "&lt;lake&gt; &amp; co" in html
    assert "99.99%" in html  # never rounded up to all
    assert "100.00%" not in html.partition("near-title")[2]


def test_a_hundred_thousand_tables(tmp_path):
    folder = big(tmp_path / "found")
    path = write_page(folder)
    assert path.stat().st_size <= 5_000_000
    facts = check_numbers(folder)
    assert facts["could_go"]["copies"] == 10_000
    assert facts["could_go"]["contained"] == 40_000
    assert facts["pairs"] == {
        "all": 50_000,
        "shown": 2000,
        "by_status": {"equal copy": 10_000, "inside": 40_000, **NO_OTHERS},
    }
    sizes = [row[3] for row in rows_of(path.read_text())]
    goes = duckdb.sql(f"""SELECT t.bytes FROM '{folder}/tables.parquet' t WHERE t."group" IS NOT NULL AND
        (t."table" LIKE '%-copy.parquet' OR t."table" NOT SIMILAR TO '.*events-of-[0-9]+.parquet')""").fetchall()
    assert sizes == sorted((size for (size,) in goes), reverse=True)[:2000]
    assert facts["graph"] == {
        "nodes": 150, "tables": 180, "parts": 30, "of_parts": 10_000, "whole": True, "left_out": 49_850,
    }  # fmt: skip


def test_very_long_names_leave_the_page_small(tmp_path):
    names = [f"{'x' * 3990}{i:04}" for i in range(3000)]
    tables = [{"table": name, "group": i} for i, name in enumerate(names)]
    folder = write_found(tmp_path / "found", tables, [(name, names[0]) for name in names[1:]])
    path = write_page(folder)
    assert path.stat().st_size <= 5_000_000
    facts = page_facts(folder)[0]
    assert 0 < facts["pairs"]["shown"] < 200
    assert facts["pairs"]["all"] == 2999


def plan_of(tables, deletions, staying=()):
    made = [
        {"table": child, "parent": parent, "bytes": tables[child]["bytes"], "rows": tables[child].get("rows", 10)}
        | {"why": why, "saves": saves, "rebuild_s": 1.5, "loses": loses}
        for child, parent, why, saves, loses in deletions
    ]
    return {
        "totals": {"cost_before": 20.5, "cost_after": 12.25},
        "deletions": made,
        "not_planned": [{"table": table, "why": why} for table, why in staying],
    }


def test_a_plan_is_shown(tmp_path):
    tables = [{"table": f"t{i}", "group": i, "bytes": 1000 * i, "columns": [f"c{i}", "id"]} for i in range(30)]
    folder = write_found(tmp_path / "found", tables, [(f"t{i}", "t0") for i in range(1, 30)])
    by_name = {table["table"]: table for table in tables}
    deletions = [(f"t{i}", "t0", "inside", 0.25, ["column at"] if i == 29 else []) for i in range(1, 30)]
    (folder / "plan.json").write_text(json.dumps(plan_of(by_name, deletions, [("t7", "it is pinned, by 3 owners")])))
    write_page(folder)
    assert "What the plan would delete" not in (folder / "report.html").read_text()
    write_page(folder, with_plan=True)
    facts = check_numbers(folder, with_plan=True)
    assert [line["at"] for line in facts["planned"]["deletions"]] == list(range(28, -1, -1))
    assert facts["planned"]["bytes"] == sum(1000 * i for i in range(1, 30))
    assert facts["planned"]["saves"] == 0.25 * 29
    html = (folder / "report.html").read_text()
    text = " ".join(numbers_of(html).prose)
    assert "Does not come back: column at" in text
    assert '<code>t0</code>: columns <code>c29</code>, <code>id</code>; <data value="10"' in html


@pytest.mark.parametrize(
    ("plan", "rule"),
    [
        ("[]", "plan.json is a plan"),
        ("{", "plan.json is a plan"),
        ('{"deletions": [{}], "totals": {}}', "plan.json is a plan"),
        (json.dumps(plan_of({"gone": {"bytes": 1}}, [("gone", "t0", "inside", 1, [])])), "in tables.parquet"),
    ],
)
def test_a_plan_of_another_scan_is_refused(tmp_path, plan, rule):
    folder = write_found(tmp_path / "found", [{"table": "t0", "group": 0}])
    (folder / "plan.json").write_text(plan)
    with pytest.raises(ArtefactError, match=rule):
        write_page(folder, with_plan=True)


def test_files_of_two_scans_are_refused(tmp_path):
    folder = star(tmp_path / "found", 3)
    other = star(tmp_path / "other", 5)
    shutil.copy(other / "tables.parquet", folder)
    with pytest.raises(ArtefactError, match="of one scan"):
        write_page(folder)
    shutil.copy(other / "lake.json", folder)
    pq.write_table(pq.read_table(folder / "tables.parquet").slice(0, 2), folder / "tables.parquet")
    (folder / "lake.json").write_text((folder / "lake.json").read_text().replace('"found": 6', '"found": 2'))
    with pytest.raises(ArtefactError, match="in tables.parquet"):
        write_page(folder)
