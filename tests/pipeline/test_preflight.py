"""What is refused before any work: no records, no room, no place to write, inputs that change."""

import shutil
from collections import namedtuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tamis
from tamis.connectors.corpus import InputSpec, open_corpus, plan_splits
from tamis.hashing.errors import ConfigError, EngineError, InputError, LedgerError
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def source(tmp_path):
    pq.write_table(pa.table({"text": [f"text {i}" for i in range(1000)]}), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def test_a_disk_without_room(source, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(EngineError, match=r"0.00 GB free at .*, and about 0.00 GB or more are needed.*check_room"):
        tamis.dedup(source, out=tmp_path / "out")
    config = make_config({"inputs": [{"path": str(source)}], "out": str(tmp_path / "out"), "check_room": False})
    assert tamis.run(config).ledger.total.kept.rows == 1000


def test_the_estimate_counts_keys_and_facts(source, monkeypatch):
    corpus = open_corpus([InputSpec(str(source))])
    splits = plan_splits(corpus.files[0], split_bytes=1 << 20)
    from tamis.pipeline.preflight import room

    assert room(splits, corpus, bands=28) == 1000 * (60 + 224) + int(0.2 * source.stat().st_size)


def test_no_records(tmp_path):
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "none.parquet")
    with pytest.raises(InputError, match="inputs hold records; found none in .*none.parquet"):
        tamis.dedup(tmp_path / "none.parquet", out=tmp_path / "out")


@pytest.mark.parametrize("place", ["/proc/out", "/dev/null/out"])
def test_a_place_that_cannot_be_written(source, place):
    with pytest.raises(ConfigError, match=f"the output folder can be made and written; found {place}"):
        tamis.dedup(source, out=place)


def test_a_source_name_leads_nowhere(tmp_path):
    names = ["../../escape", "/etc/passwd", "a\nb", "..", ""]
    pq.write_table(pa.table({"text": list("abcde"), "source": names}), tmp_path / "in.parquet")
    result = tamis.dedup(tmp_path / "in.parquet", out=tmp_path / "deep" / "out", source="source")
    assert sorted(result.ledger.sources) == sorted(names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "in.parquet"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


class ChangesAnInput(Silent):
    """Changes a file when a step starts."""

    def __init__(self, path, step, change):
        self.path, self.step, self.change = path, step, change

    def start(self, step, *, total_bytes=None):
        if step == self.step:
            self.change(self.path)


def append_a_file(path):
    pq.write_table(pa.table({"text": ["new"]}), path.parent / "later.parquet")


def other_rows(path):
    pq.write_table(pa.table({"text": [f"tixt {i}" for i in range(1000)]}), path)


@pytest.mark.parametrize("step", ["exact", "write shards", "balance the ledger"])
@pytest.mark.parametrize("change", [append_a_file, other_rows])
def test_inputs_that_change_meanwhile(source, tmp_path, step, change):
    (tmp_path / "in").mkdir()
    moved = source.rename(tmp_path / "in" / "a.parquet")
    config = make_config({"inputs": [{"path": str(tmp_path / "in")}], "out": str(tmp_path / "out")})
    prepared = plan.prepare(config, version=tamis.__version__)
    with pytest.raises((InputError, LedgerError), match="parquet changed|inputs stay as they are"):
        plan.run(prepared, LocalEngine, ChangesAnInput(moved, step, change))
    assert not (tmp_path / "out" / "_SUCCESS").exists()
