"""``tamis block evaluate`` and ``cluster`` as a person uses them."""

import json

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tamis.jobs.cli import app

SHOP = (
    "id|name|price\na1|Sony KDL-40 television|400\na2|Apple iPod nano 8 GB|99\na3|canned soup|2\na4|canned soup red|3\n"
)
OTHER = (
    "id|name|price\nb1|iPod nano 8GB by Apple|99\nb2|Sony television KDL-40|400\nb3|garden chair|20\nb4|soup red|1\n"
)
KNOWN = "left_id,right_id,label\na1,b2,1\na2,b1,1\na3,b3,1\na4,b3,0\n"


def call(*arguments):
    return CliRunner().invoke(app, ["block", *map(str, arguments)])


@pytest.fixture
def blocked(tmp_path):
    for name, text in (("shop.csv", SHOP), ("other.csv", OTHER), ("known.csv", KNOWN)):
        (tmp_path / name).write_text(text)
    tables = tmp_path / "shop.csv", tmp_path / "other.csv"
    assert call(*tables, "--id", "id", "--top-k", 1, "--out", tmp_path / "one", "-q").exit_code == 0
    several = ["--blocker", "lexical", "--blocker", "rules", "--rule", "words(name)", "--max-block", 100]
    done = call(*tables, "--id", "id", *several, "--top-k", 2, "--out", tmp_path / "both", "-q")
    assert done.exit_code == 0, done.output
    return tmp_path


def of(path):
    return [(row["left_id"], row["right_id"]) for row in pq.read_table(path).to_pylist()]


def report(folder):
    return json.loads((folder / "blocking.json").read_text())


def test_known_matches(blocked):
    known = blocked / "known.csv"
    done = call("evaluate", blocked / "one", blocked / "both", "--matches", known, "--out", blocked / "measured")
    assert done.exit_code == 0, done.output
    found = {one["name"]: one for one in report(blocked / "measured")["blockers"]}
    assert list(found) == ["one: lexical", "both: lexical", "both: rules", "both: in-order"]
    lexical = found["one: lexical"]
    assert (lexical["pairs"], lexical["against"]["found"], lexical["against"]["missed"]) == (4, 2, 1)
    assert lexical["against"]["pc"] == 2 / 3
    assert lexical["against"]["pq"] == 0.5
    assert lexical["blocks"] is None
    assert found["both: rules"]["blocks"]["count"] > 3
    page = (blocked / "measured" / "blocking.html").read_text()
    assert "garden chair" in page
    assert "66.67 %" in done.output
    assert "<h1>shop.csv and other.csv</h1>" in page


def test_what_is_made_of_others_has_nothing_alone(blocked):
    assert call("evaluate", blocked / "both", "--matches", blocked / "known.csv", "--out", blocked / "m").exit_code == 0
    alone = {one["name"]: one["alone"] for one in report(blocked / "m")["blockers"]}
    pairs = [set(of(blocked / "both" / "blockers" / f"{name}.parquet")) for name in ("lexical", "rules")]
    assert alone == {"lexical": len(pairs[0] - pairs[1]), "rules": len(pairs[1] - pairs[0]), "in-order": 0}
    assert alone["lexical"] > 0


def test_without_texts(blocked):
    known = blocked / "known.csv"
    assert call("evaluate", blocked / "one", "--matches", known, "--no-text", "--out", blocked / "m").exit_code == 0
    assert "garden chair" not in (blocked / "m" / "blocking.html").read_text()


def test_planted_copies(blocked):
    done = call("evaluate", blocked / "both", "--plant", 3, "--seed", 5, "--out", blocked / "measured")
    assert done.exit_code == 0, done.output
    blockers = report(blocked / "measured")["blockers"]
    assert [one["name"] for one in blockers] == ["lexical", "rules", "in-order"]
    for one in blockers:
        every = one["planted"][0]
        assert (every["kind"], every["copies"], one["against"]) == ("all", 3, None)
    again = call("evaluate", blocked / "both", "--plant", 3, "--seed", 5, "--out", blocked / "again")
    assert again.exit_code == 0
    assert report(blocked / "again") == report(blocked / "measured")


def test_runs_of_other_tables_are_not_measured_together(blocked):
    (blocked / "third.csv").write_text(SHOP.replace("a1", "z1"))
    done = call(blocked / "third.csv", blocked / "other.csv", "--id", "id", "--out", blocked / "third", "-q")
    assert done.exit_code == 0
    failed = call("evaluate", blocked / "one", blocked / "third", "--out", blocked / "m")
    assert "are of the same tables" in str(failed.exception)


def test_a_budget_holds_for_planted_copies_of_one_blocker_too(blocked):
    tables = blocked / "shop.csv", blocked / "other.csv"
    assert call(*tables, "--id", "id", "--max-pairs", 1, "--out", blocked / "few", "-q").exit_code == 0
    assert call("evaluate", blocked / "few", "--plant", 4, "--out", blocked / "m").exit_code == 0
    planted = report(blocked / "m")["blockers"][0]["planted"]
    assert [(one["copies"], one["found"] <= 1) for one in planted if one["kind"] == "all"] == [(4, True)]


def test_runs_in_folders_of_one_name_are_all_measured(blocked):
    for place, run in (("x", "one"), ("y", "both")):
        (blocked / place).mkdir()
        (blocked / run).rename(blocked / place / "run")
    x, y = blocked / "x" / "run", blocked / "y" / "run"
    assert call("evaluate", x, y, "--out", blocked / "m").exit_code == 0
    names = [one["name"] for one in report(blocked / "m")["blockers"]]
    assert names == [f"{x}: lexical", f"{y}: lexical", f"{y}: rules", f"{y}: in-order"]
    failed = call("evaluate", x, f"{x}/", "--out", blocked / "m2")
    assert "each blocking run is named once" in str(failed.exception)


def test_runs_with_other_ids_on_the_right_are_not_measured_together(blocked):
    tables = blocked / "shop.csv", blocked / "other.csv"
    assert call(*tables, "--left-id", "id", "--right-id", "name", "--out", blocked / "named", "-q").exit_code == 0
    failed = call("evaluate", blocked / "one", blocked / "named", "--out", blocked / "m")
    assert "of the same tables, with the same ids" in str(failed.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate", "--plant", 2, "--seed", 1 << 64], "a seed is not negative and has 64 bits"),
        (["evaluate", "--matches", "known.csv", "--seed", 1 << 64], "a seed has 64 bits"),
        (["cluster", "--threshold", 50], "a cosine is at most 1, and so is its threshold"),
        (["cluster", "--threshold", 1.1, "--score", "jaccard"], "a jaccard is at most 1"),
        (["cluster", "--threshold", "nan"], "a threshold is a number"),
    ],
)
def test_numbers_that_cannot_be(blocked, monkeypatch, arguments, said):
    monkeypatch.chdir(blocked)
    failed = call(arguments[0], "one", *arguments[1:], "--out", "m")
    assert said in str(failed.exception)


def test_the_output_of_evaluate_is_a_folder(blocked):
    failed = call("evaluate", blocked / "one", "--out", blocked / "known.csv")
    assert "the output is a folder" in str(failed.exception)


@pytest.mark.parametrize("command", [["evaluate"], ["cluster", "--threshold", "0.5"]])
def test_tables_that_have_changed_are_refused(blocked, command):
    (blocked / "shop.csv").write_text(SHOP + "a5|new|1\n")
    failed = call(command[0], blocked / "one", *command[1:], "--out", blocked / "m")
    assert "are those of the blocking run" in str(failed.exception)
    failed = call(command[0], blocked / "nowhere", *command[1:], "--out", blocked / "m")
    assert f"finished blocking run; found no {blocked / 'nowhere' / '_SUCCESS'}. Make one" in str(failed.exception)


def test_equal_records_match_at_a_threshold_of_1(tmp_path):
    words = ["sony", "apple", "bose", "canon", "garmin", "tv", "player", "camera", "black", "silver", "nano", "mini"]
    texts = [" ".join(words[(i * step) % 12] for step in (1, 2, 3, 5, 7, 11)) for i in range(60)]
    lines = [f"{i}|{text} {i}{i}{i}\n" for i, text in enumerate(texts)]
    (tmp_path / "a.csv").write_text("id|name\n" + "".join(lines))
    (tmp_path / "b.csv").write_text("id|name\n" + "".join(lines[::-1]))
    tables = tmp_path / "a.csv", tmp_path / "b.csv"
    assert call(*tables, "--id", "id", "--out", tmp_path / "pairs", "-q").exit_code == 0
    options = ["--threshold", 1, "--rule", "components", "--out", tmp_path / "clusters", "-q"]
    assert call("cluster", tmp_path / "pairs", *options).exit_code == 0
    found = pq.read_table(tmp_path / "clusters" / "matches.parquet").to_pylist()
    assert {(row["left_id"], row["right_id"]) for row in found} == {(str(i), str(i)) for i in range(60)}


def test_names_are_shown_as_they_are(blocked):
    (blocked / "[/red]").mkdir(parents=True)
    (blocked / "one").rename(blocked / "[/red]" / "run[bold]")
    done = call("evaluate", blocked / "[/red]" / "run[bold]", blocked / "both", "--out", blocked / "m")
    assert done.exit_code == 0, done.output
    assert "run[bold]" in done.output
    (blocked / "twice.csv").write_text("id|name\na:|red soup\nb|red soup\n")
    tables = blocked / "twice.csv", blocked / "twice.csv"
    assert call(*tables, "--id", "id", "--out", blocked / "self", "-q").exit_code == 0
    done = call("cluster", blocked / "self", "--threshold", 0.5, "--out", blocked / "clusters")
    assert "left:a:: 3 records, a: stays" in done.output


@pytest.mark.parametrize("command", [["evaluate"], ["cluster", "--threshold", "0.5"]])
def test_damaged_runs_are_refused(blocked, command):
    def refused(folder):
        return str(call(command[0], folder, *command[1:], "--out", blocked / "m").exception)

    pairs, lexical = blocked / "one" / "pairs.parquet", blocked / "both" / "blockers" / "lexical.parquet"
    pq.write_table(pq.read_table(pairs).slice(1), pairs)
    assert f"{pairs} has " in refused(blocked / "one")
    assert "as recorded" in refused(blocked / "one")
    lexical.unlink()
    assert f"{lexical} is missing" in refused(blocked / "both")
    said = blocked / "both" / "block.json"
    good = said.read_text()
    for wrong in (good.replace('"top_k"', '"top"'), good.replace('"files": [', '"files": 3, "others": [')):
        said.write_text(wrong)
        assert "block.json: TypeError" in refused(blocked / "both")
    said.write_text(good.replace("lexical.parquet", "another.parquet"))
    assert "block.json says nothing of blockers/lexical.parquet" in refused(blocked / "both")
    assert not (blocked / "m").exists()


@pytest.mark.parametrize("name", ["pairs.parquet", "records.parquet", "blockers/rules.parquet"])
def test_one_changed_byte_is_refused_by_name(blocked, name):
    path = blocked / "both" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    failed = call("evaluate", blocked / "both", "--out", blocked / "m")
    assert f"{path} has sha256" in str(failed.exception)


def test_clusters(blocked):
    done = call("cluster", blocked / "one", "--threshold", 0.4, "--rule", "one-to-one", "--out", blocked / "c")
    assert done.exit_code == 0, done.output
    decisions = pq.read_table(blocked / "c" / "decisions.parquet").to_pylist()
    assert {(row["keeper_id"], row["id"]) for row in decisions} == {("a1", "b2"), ("a2", "b1"), ("a4", "b4")}
    assert all(row["blocker"] == "lexical" and row["similarity"] >= 0.4 for row in decisions)
    assert "4 of 4 pairs are matches: 5 clusters" in done.output


def test_the_record_with_the_highest_value_stays(blocked):
    one = ["--threshold", 0.4, "--rule", "greedy", "--keep", "price"]
    assert call("cluster", blocked / "one", *one, "--out", blocked / "c").exit_code == 0
    decisions = pq.read_table(blocked / "c" / "decisions.parquet").to_pylist()
    assert ("a4", "b4") in {(row["keeper_id"], row["id"]) for row in decisions}  # 3 is more than 1
    failed = call("cluster", blocked / "one", "--threshold", 0.4, "--keep", "colour", "--out", blocked / "d")
    assert "'colour' among" in str(failed.exception)


def test_ids_go_on(blocked):
    assert call("cluster", blocked / "one", "--threshold", 0.99, "--out", blocked / "first", "-q").exit_code == 0
    done = call("cluster", blocked / "one", "--threshold", 0.4, "--previous", blocked / "first", "--out", blocked / "c")
    assert done.exit_code == 0, done.output
    aliases = pq.read_table(blocked / "c" / "aliases.parquet").to_pylist()
    assert {"alias": "right:b1", "cluster_id": "left:a2", "run": 2} in aliases
