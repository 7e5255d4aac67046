"""Inputs and outputs in an object store: a local S3 server, and files in memory."""

import json
import logging
import uuid

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from runs import digests

import tamis
from tamis.connectors.published import Destination
from tamis.hashing.errors import ArtefactError, ConfigError, InputError
from tamis.jobs import api
from tamis.pipeline import run as plan
from tamis.pipeline.verify import verify

TEXT = " ".join(f"word{i}" for i in range(40))
TEXTS = [TEXT, f"{TEXT} more", "alone", TEXT, *(f"row {i}" for i in range(50))]


@pytest.fixture(scope="module")
def server():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(server, monkeypatch, tmp_path):
    """A bucket of its own, with the credentials that S3 clients look for."""
    settings = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "hunter2", "ENDPOINT_URL": server}
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fsspec.filesystem("s3").clear_instance_cache()
    files = fsspec.filesystem("s3")
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    files.mkdir(name)
    table = pa.table({"text": TEXTS, "id": [str(i) for i in range(len(TEXTS))]})
    with files.open(f"{name}/in/a.parquet", "wb") as stream:
        pq.write_table(table.slice(0, 30), stream, row_group_size=7)
    lines = "".join(json.dumps(row) + "\n" for row in table.slice(30).to_pylist())
    files.pipe(f"{name}/in/b.jsonl", lines.encode())
    files.pipe(f"{name}/in/c.csv", b"text,id\nfrom a table,x\nalone,y\n")
    yield f"s3://{name}"
    fsspec.filesystem("s3").clear_instance_cache()


@pytest.fixture
def expected(tmp_path, bucket):
    """What a run over copies of the same files gives."""
    (tmp_path / "in").mkdir()
    files = fsspec.filesystem("s3")
    for name in ("a.parquet", "b.jsonl", "c.csv"):
        files.get(f"{bucket}/in/{name}", str(tmp_path / "in" / name))
    return digests(tamis.dedup(tmp_path / "in", out=tmp_path / "local", id="id", near={"values": 64}).out)


def sift(bucket, out):
    return tamis.dedup(f"{bucket}/in", out=out, id="id", near={"values": 64})


def tables_of(found):
    """Without the manifest, which knows sizes of inputs only."""
    return {path: digest for path, digest in found.items() if path != "manifest.json"}


def test_inputs_and_output_in_a_bucket(bucket, expected, tmp_path):
    result = sift(bucket, f"{bucket}/out/run")
    assert result.removed.select(["id", "stage", "keeper_id"]).to_pylist() == [
        {"id": "1", "stage": "near", "keeper_id": "0"},
        {"id": "3", "stage": "exact", "keeper_id": "0"},
        {"id": "y", "stage": "exact", "keeper_id": "2"},
    ]
    files = fsspec.filesystem("s3")
    names = {path.partition("/out/run/")[2] for path in files.find(f"{bucket}/out")}
    assert {"_SUCCESS", "manifest.json", "index.parquet", "config.yaml", "report.json"} < names
    with api.fetched(f"{bucket}/out/run") as copy:
        assert [check.faults for check in verify(copy)] == [()] * 11
        assert digests(copy) == expected
    before = files.info(f"{bucket}/out/run/manifest.json")["LastModified"]
    assert sift(bucket, f"{bucket}/out/run").removed.num_rows == 3
    assert files.info(f"{bucket}/out/run/manifest.json")["LastModified"] == before


def test_a_result_is_fetched_where_nothing_is_left_of_the_run(bucket, monkeypatch, tmp_path):
    sift(bucket, f"{bucket}/out")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another-machine"))
    result = sift(bucket, f"{bucket}/out")
    assert result.removed.num_rows == 3
    assert not (result.out / "data").exists()


def test_copying_goes_on_where_it_was_cut_off(bucket, expected, monkeypatch):
    put, sent = Destination._put, []

    def failing(self, source, name):
        if len(sent) == 3:
            raise OSError("the line went down")
        sent.append(name)
        put(self, source, name)

    monkeypatch.setattr(Destination, "_put", failing)
    with pytest.raises(tamis.TamisError, match="only the copying is repeated"):
        sift(bucket, f"{bucket}/out")
    assert not fsspec.filesystem("s3").exists(f"{bucket}/out/_SUCCESS")
    monkeypatch.setattr(Destination, "_put", lambda self, source, name: (sent.append(name), put(self, source, name)))
    monkeypatch.setattr(plan, "begin", None)  # nothing is computed again
    sift(bucket, f"{bucket}/out")
    assert len(sent) == len(set(sent))
    with api.fetched(f"{bucket}/out") as copy:
        assert digests(copy) == expected


def test_other_peoples_places_are_refused(bucket):
    fsspec.filesystem("s3").pipe(f"{bucket}/taken/x.txt", b"mine")
    with pytest.raises(ArtefactError, match="holds x.txt"):
        sift(bucket, f"{bucket}/taken")
    sift(bucket, f"{bucket}/out")
    with pytest.raises(ArtefactError, match="of another run"):
        tamis.dedup(f"{bucket}/in", out=f"{bucket}/out", id="id", seed=1)
    with pytest.raises(ConfigError, match="outside the input folders"):
        sift(bucket, f"{bucket}/in/out")


def test_a_bucket_that_is_not_there(bucket):
    with pytest.raises(InputError, match="an input exists"):
        tamis.dedup("s3://no-such-bucket/in", out=f"{bucket}/out")
    with pytest.raises(InputError, match="the output's place can be written"):
        sift(bucket, "s3://no-such-bucket/out")


def test_secrets_never_show(bucket, tmp_path, capfd):
    out = tmp_path / "out"
    config = {
        "inputs": [{"path": f"{bucket}/in"}],
        "stages": ["exact"],
        "out": str(out),
        "spark": {"conf": {"spark.hadoop.fs.s3a.secret.key": "hunter2"}},
    }
    tamis.run(tamis.Pipeline.model_validate(config))
    assert "hunter2" not in "".join(path.read_text() for path in out.glob("*.*") if path.suffix in (".yaml", ".json"))
    with pytest.raises(InputError) as error:
        tamis.dedup("ftp://me:hunter2@localhost:1/in", out=tmp_path / "o")
    assert "hunter2" not in str(error.value)
    assert "hunter2" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("name", ["../escape", "data/../../escape", "/etc/x", "a//b", "./x"])
def test_names_of_objects_lead_nowhere(tmp_path, monkeypatch, name):
    monkeypatch.setattr(Destination, "_sizes", lambda self: {"manifest.json": 2, name: 1})
    with pytest.raises(ArtefactError, match="plain names"):
        Destination("memory://out", success="_SUCCESS").fetch(tmp_path / "copy", data=True)
    assert list(tmp_path.iterdir()) == []
