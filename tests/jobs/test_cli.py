"""The command line as a person uses it: exit codes, messages, files."""

import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml

from tamis.jobs import cli, memory_share
from tamis.pipeline import running

TIMED = {"report.json", "report.html", "metrics.prom"}
TEXT = "the quick brown fox jumps over the lazy dog while the band plays on and nobody minds the rain {}"


@pytest.fixture
def tamis(monkeypatch, capsys):
    """Run the command line in this process; return (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tamis", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capsys.readouterr()
        return stopped.value.code or 0, out, err

    return run


@pytest.fixture
def corpus(write_parquet):
    texts = [TEXT.format(""), TEXT.format("today"), "something else", TEXT.format(""), "another text here"]
    odd = {"nested": [{"a": 1}] * 5, "raw": [b"\xff"] * 5}
    return write_parquet("corpus.parquet", text=texts, key=list("abcde"), extra=[1, 2, 3, 4, 5], **odd)


def test_dedup_removes_and_names_witnesses(tamis, corpus, tmp_path):
    code, out, _ = tamis("dedup", corpus, "--out", tmp_path / "out", "--id", "key")
    assert code == 0
    assert "near copies removed" in out
    decisions = pq.read_table(tmp_path / "out" / "decisions").to_pylist()
    assert [(row["id"], row["stage"], row["keeper_id"]) for row in decisions] == [
        ("b", "near", "a"),
        ("d", "exact", "a"),
    ]
    kept = pq.read_table(tmp_path / "out" / "data").sort_by("key").to_pydict()
    assert (kept["key"], kept["extra"]) == (["a", "c", "e"], [1, 3, 5])


def test_verify_passes_then_notices_damage(tamis, corpus, tmp_path):
    tamis("dedup", corpus, "--out", tmp_path / "out")
    assert tamis("verify", tmp_path / "out")[0] == 0
    shard = next((tmp_path / "out" / "data").glob("part-*"))
    damaged = bytearray(shard.read_bytes())
    damaged[100] ^= 1
    shard.write_bytes(damaged)
    code, out, _ = tamis("verify", tmp_path / "out")
    assert code == 4
    assert f"{shard} has sha256" in out.replace("\n", "")


def test_run_takes_a_pipeline_and_overrides(tamis, corpus, tmp_path):
    config = tmp_path / "p.yaml"
    config.write_text(f"inputs: [{{path: {corpus}}}]\nstages: [exact]\nout: {tmp_path / 'ignored'}\n")
    code, _, _ = tamis("run", config, "--set", "keep=longest", "--out", tmp_path / "out", "--threads", 1, "-q")
    assert code == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["settings"]["keep"]["by"] == "longest"
    assert manifest["ledger"]["total"]["dropped"] == {"exact": {"rows": 1, "bytes": 94, "tokens": 19}}
    assert not (tmp_path / "ignored").exists()


def test_a_second_run_is_a_no_op(tamis, corpus, tmp_path):
    tamis("dedup", corpus, "--out", tmp_path / "out")
    before = (tmp_path / "out" / "manifest.json").stat().st_mtime_ns
    assert tamis("dedup", corpus, "--out", tmp_path / "out")[0] == 0
    assert (tmp_path / "out" / "manifest.json").stat().st_mtime_ns == before


def test_an_output_of_another_run_is_refused(tamis, corpus, tmp_path):
    tamis("dedup", corpus, "--out", tmp_path / "out")
    code, _, err = tamis("dedup", corpus, "--out", tmp_path / "out", "--threshold", "0.9")
    assert code == 4
    assert "Choose another --out" in err


def test_a_foreign_folder_is_refused_and_left_alone(tamis, corpus, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("precious")
    code, _, err = tamis("dedup", corpus, "--out", tmp_path / "out")
    assert code == 4
    assert "thesis.txt" in err
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--text", "txet"], 3, "Did you mean 'text'?"),
        (["--text", "extra"], 3, "the text column holds strings"),
        (["--id", "kee"], 3, "Did you mean 'key'?"),
        (["--threshold", "1.5"], 2, "less than or equal to 1"),
        (["--keep", "best"], 2, "best"),
        (["--keep", "quality:score"], 3, "the keep column is in the inputs"),
        (["--memory", "much"], 2, "much"),
        (["--engine", "dask"], 2, "dask"),
        (["--id", "nested"], 3, "the id column holds strings, numbers or times"),
        (["--source", "raw"], 3, "the source column holds strings, numbers or times"),
        (["--out", "nosuch://bucket/x"], 3, "a URL is of a kind that fsspec can open"),
        (["--out", "/dev/null/x"], 2, "the output folder can be made"),
    ],
)
def test_mistakes_get_a_message_and_a_code(tamis, corpus, tmp_path, arguments, code, message):
    found, _, err = tamis("dedup", corpus, "--out", tmp_path / "out", *arguments)
    assert found == code
    assert message in err
    assert "Traceback" not in err


def test_an_output_inside_an_input_is_refused(tamis, corpus, tmp_path):
    code, _, err = tamis("dedup", tmp_path, "--out", tmp_path / "deep" / "out")
    assert code == 2
    assert "outside the input folders" in err
    assert not (tmp_path / "deep").exists()


def test_after_a_fruitless_attempt_the_remedy_works_in_the_same_folder(tamis, write_parquet, tmp_path):
    path = write_parquet("nulls.parquet", text=["one", None, "two"])
    assert tamis("dedup", path, "--out", tmp_path / "out", "--text", "txt")[0] == 3
    assert tamis("dedup", path, "--out", tmp_path / "out")[0] == 3
    assert tamis("dedup", path, "--out", tmp_path / "out", "--on-error", "quarantine")[0] == 0
    assert tamis("verify", tmp_path / "out")[0] == 0


def test_verify_of_something_else(tamis, corpus, tmp_path):
    assert tamis("verify", corpus)[0] == 4
    tamis("dedup", corpus, "--out", tmp_path / "out")
    for part in (tmp_path / "out" / "pairs").iterdir():
        part.unlink()
    (tmp_path / "out" / "pairs").rmdir()
    code, out, _ = tamis("verify", tmp_path / "out")
    assert code == 4
    assert "is missing" in out


def test_text_folders_by_format(tamis, tmp_path):
    (tmp_path / "texts").mkdir()
    for name in "ab":
        (tmp_path / "texts" / f"{name}.txt").write_text("the same")
    code, _, _ = tamis("dedup", tmp_path / "texts", "--format", "text", "--id", "path", "--out", tmp_path / "out")
    assert code == 0
    assert pq.read_table(tmp_path / "out" / "decisions").to_pylist()[0]["keeper_id"] == "a.txt"


def test_a_missing_input_is_named(tamis, tmp_path):
    code, _, err = tamis("dedup", tmp_path / "nothing.parquet", "--out", tmp_path / "out")
    assert code == 3
    assert "nothing.parquet" in err
    assert not (tmp_path / "out").exists()


def test_bad_rows_fail_or_go_to_quarantine(tamis, write_parquet, tmp_path):
    path = write_parquet("nulls.parquet", text=["one", None, "two"])
    code, _, err = tamis("dedup", path, "--out", tmp_path / "fails")
    assert code == 3
    assert "record 1 of" in err
    assert "null-text" in err
    assert tamis("dedup", path, "--out", tmp_path / "works", "--on-error", "quarantine")[0] == 0
    quarantine = pq.read_table(tmp_path / "works" / "quarantine").to_pylist()
    assert [(row["address"], row["rule"]) for row in quarantine] == [(1, "null-text")]


def test_the_alarm_stops_before_success_and_is_lifted_without_recomputing(tamis, write_parquet, tmp_path):
    path = write_parquet("same.parquet", text=["the same text"] * 200)
    code, _, err = tamis("dedup", path, "--out", tmp_path / "out")
    assert code == 6
    assert "--allow-loss 'same.parquet'" in err
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    saved = (tmp_path / "out" / "_work" / "documents" / "_SAVED").stat().st_mtime_ns
    assert tamis("verify", tmp_path / "out")[0] == 4
    assert (tmp_path / "out" / "_work" / "documents" / "_SAVED").stat().st_mtime_ns == saved
    assert tamis("dedup", path, "--out", tmp_path / "out", "--allow-loss", "same.parquet")[0] == 0
    assert tamis("verify", tmp_path / "out")[0] == 0


def test_schema_is_json_schema(tamis):
    code, out, _ = tamis("schema")
    assert code == 0
    assert json.loads(out)["properties"]["inputs"]["minItems"] == 1


def test_python_dash_m():
    shown = subprocess.check_output([sys.executable, "-m", "tamis", "--version"], text=True)
    assert shown == "tamis 0.1.0\n"


@pytest.mark.parametrize("new_machine", [True, False])
def test_a_new_machine_is_told_that_it_compiles_before_it_does(tamis, corpus, tmp_path, monkeypatch, new_machine):
    monkeypatch.setattr(running, "must_compile", lambda: new_machine)
    _, _, err = tamis("dedup", corpus, "--out", tmp_path / "out")
    steps = [line["step"] for line in map(json.loads, err.splitlines()) if line["state"] == "started"]
    assert steps[1] == ("compile (once a machine)" if new_machine else "read and sketch")


def test_progress_elsewhere_is_structured_lines(tamis, corpus, tmp_path):
    _, _, err = tamis("dedup", corpus, "--out", tmp_path / "out")
    lines = [json.loads(line) for line in err.splitlines()]
    assert {line["state"] for line in lines} <= {"begun", "started", "running", "done", "finished"}
    steps = [line["step"] for line in lines if line["state"] == "started" and not line["step"].startswith("compile")]
    assert steps[:3] == ["list inputs", "read and sketch", "rank"]


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
@pytest.mark.parametrize(("asked", "bytes_"), [((), 5_000_000_000), (("--memory", "1GB"), 1_000_000_000)])
def test_the_memory_is_told_first_and_in_the_report(tamis, corpus, tmp_path, monkeypatch, asked, bytes_, dry):
    monkeypatch.setattr(memory_share, "share_of", lambda root: 5_000_000_000)
    _, _, err = tamis("dedup", corpus, "--out", tmp_path / "out", "--threads", "2", *asked, *dry)
    assert json.loads(err.splitlines()[0]) == {"state": "begun", "memory_bytes": bytes_, "threads": 2}
    assert json.loads((tmp_path / "out" / "report.json").read_text())["memory_bytes"] == bytes_


def test_what_a_machine_has_changes_no_output_but_the_report(tamis, corpus, tmp_path, monkeypatch):
    written = []
    for share in (200_000_000, 5_000_000_000):
        monkeypatch.setattr(memory_share, "share_of", lambda root, share=share: share)
        out = tmp_path / str(share) / "out"
        assert tamis("dedup", corpus, "--out", out)[0] == 0
        files = sorted(path for path in out.rglob("*") if path.is_file() and path.name not in TIMED)
        written.append({str(path.relative_to(out)): path.read_bytes() for path in files})
        assert yaml.safe_load(written[-1]["config.yaml"])["memory"] is None
        del written[-1]["config.yaml"]  # it names the folder
    assert written[0] == written[1]
    assert {"manifest.json", "index.parquet"} <= set(written[0])


def test_a_dry_run_writes_no_shards_and_is_taken_up(tamis, corpus, tmp_path):
    code, out, _ = tamis("dedup", corpus, "--out", tmp_path / "out", "--dry-run")
    assert code == 0
    assert "No shards were written." in out
    assert "near copies removed" in out
    assert not (tmp_path / "out" / "data").exists()
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert pq.read_table(tmp_path / "out" / "decisions")["address"].to_pylist() == [1, 3]
    assert tamis("verify", tmp_path / "out")[0] == 4
    assert tamis("dedup", corpus, "--out", tmp_path / "out")[0] == 0
    tamis("dedup", corpus, "--out", tmp_path / "at-once")
    manifests = [(tmp_path / name / "manifest.json").read_bytes() for name in ("out", "at-once")]
    assert manifests[0] == manifests[1]
    assert tamis("verify", tmp_path / "out")[0] == 0


def test_filter_against_and_annotate(tamis, corpus, write_parquet, tmp_path):
    old = write_parquet("old.parquet", text=["something else"], key=["old"])
    options = ("--filter", "extra != 5", "--against", old, "--annotate", "--id", "key")
    code, out, _ = tamis("dedup", corpus, "--out", tmp_path / "out", *options)
    assert code == 0
    assert "there already" in out
    assert "removed by filters" in out
    rows = pq.read_table(tmp_path / "out" / "data").sort_by("key").to_pylist()
    assert [(row["key"], row["tamis_stage"], row["tamis_keeper"]) for row in rows] == [
        ("a", None, None),
        ("b", "near", "a"),
        ("c", "exact", "old"),
        ("d", "exact", "a"),
        ("e", "filter", None),
    ]


def test_a_run_stops_after_a_step_and_the_next_one_ends_it(tamis, corpus, tmp_path):
    config = tmp_path / "p.yaml"
    config.write_text(f"inputs: [{{path: {corpus}}}]\nstages: [exact]\nout: {tmp_path / 'out'}\n")
    code, printed, _ = tamis("steps", config)
    assert (code, printed.splitlines()) == (0, ["read and sketch", "rank", "exact", "order", "place", "write shards"])
    assert "near" not in tamis("steps", config, "--set", "stages=[]")[1]
    code, printed, err = tamis("run", config, "--until", "exact")
    assert (code, printed) == (0, "")
    assert json.loads(err.splitlines()[-1])["step"] == "exact"
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    code, _, err = tamis("run", config)
    assert json.loads(err.splitlines()[-1]) == {
        "state": "finished",
        "rows_read": 5,
        "rows_kept": 4,
        "rows_dropped": {"exact": 1},
        "rows_quarantined": {},
        "rows_emitted": 4,
        "bytes_emitted": 224,
        "tokens_emitted": 44,
    }
    assert (tmp_path / "out" / "_SUCCESS").exists()


@pytest.mark.parametrize("wrong", [["--until", "verify"], ["--until", "rank", "--dry-run"]])
def test_a_step_that_a_run_does_not_have_is_a_mistake(tamis, corpus, tmp_path, wrong):
    config = tmp_path / "p.yaml"
    config.write_text(f"inputs: [{{path: {corpus}}}]\nstages: [exact]\nout: {tmp_path / 'out'}\n")
    assert tamis("run", config, *wrong)[0] == 2
    assert not (tmp_path / "out").exists()
