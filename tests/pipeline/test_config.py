import pytest

from tamis.hashing.errors import ConfigError
from tamis.hashing.lsh import Banding
from tamis.pipeline.byte_sizes import parse_size
from tamis.pipeline.config import load_config, make_config, pipeline_schema
from tamis.pipeline.keep import KeepPolicy
from tamis.pipeline.near import banding_of

BASE = {"inputs": [{"path": "x.parquet"}]}


def test_defaults_are_exact_then_near():
    config = make_config(BASE)
    assert [stage.stage for stage in config.stages] == ["exact", "near"]
    assert (config.near.threshold, config.near.values, config.near.shingle.size) == (0.8, 256, 5)
    assert config.keep == KeepPolicy(by="first")
    assert banding_of(config.near) == Banding(28, 9)


def test_short_forms_of_stages():
    config = make_config(BASE | {"stages": ["exact", {"near": {"threshold": 0.9}}]})
    assert config.near.threshold == 0.9
    assert make_config(BASE | {"stages": [{"near": None}]}).near.threshold == 0.8


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2 * 10**9), ("512MiB", 512 * 2**20), ("1.5 kb", 1500), ("7", 7), (12, 12)]
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("longest", KeepPolicy(by="longest")),
        ("newest:date", KeepPolicy(by="newest", column="date")),
        ("quality:a:b", KeepPolicy(by="quality", column="a:b")),
        ("source:wiki, books", KeepPolicy(by="source", sources=("wiki", "books"))),
    ],
)
def test_keep_policies(text, policy):
    assert make_config(BASE | {"keep": text}).keep == policy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"treshold": 1}, "'treshold'. Did you mean 'threshold'?"),
        ({"stages": [{"near": {"treshold": 0.8}}]}, "Did you mean 'threshold'?"),
        ({"stages": [{"near": {"threshold": 1.2}}]}, "less than or equal to 1"),
        ({"stages": [{"near": {"threshold": 0}}]}, "greater than 0"),
        ({"stages": ["near", "exact"]}, "each once at most, in this order, not near, exact"),
        ({"stages": ["fuzzy"]}, "fuzzy"),
        ({"stages": [{"near": {"bands": 3}}]}, "bands and rows are given together"),
        ({"stages": [{"near": {"bands": 30, "rows": 10}}]}, r"bands x rows \(300\) must not exceed values \(256\)"),
        ({"keep": "oldest"}, "oldest"),
        ({"keep": "newest"}, "newest needs a column, as in newest:COLUMN"),
        ({"keep": "longest:x"}, "longest takes no argument"),
        ({"memory": "lots"}, "lots"),
        ({"inputs": []}, "at least 1"),
        ({"engine": "dask"}, "dask"),
        ({"stages": [{"near": 5}]}, "near"),
        ({"memory": "1MB"}, "a run takes 128MiB of memory or more: write it as 2GB or 512MiB"),
        ({"memory": "lots"}, "a size is a number of bytes, or written as 2GB or 512MiB"),
    ],
)
def test_wrong_settings_are_refused_by_name(change, message):
    with pytest.raises(ConfigError, match=message):
        make_config(BASE | change)


def test_a_recall_out_of_reach_is_refused_with_numbers():
    with pytest.raises(ConfigError, match="4 sketch values .* recall of 0.98 at similarity 0.5; found at best 0.938"):
        banding_of(make_config(BASE | {"stages": [{"near": {"threshold": 0.5, "values": 4}}]}).near)


def write(tmp_path, text):
    path = tmp_path / "pipeline.yaml"
    path.write_text(text)
    return str(path)


def test_overrides_reach_every_level(tmp_path):
    path = write(tmp_path, "inputs: [{path: a}]\nstages: [exact, near]\nshards: {epoch: 1}\n")
    config = load_config(
        path,
        overrides=[
            "keep=longest",
            "shards.epoch=4",
            "stages.near.threshold=0.7",
            "inputs.0.source=s",
            "columns.id=key",
        ],
    )
    assert config.keep.by == "longest"
    assert config.shards.epoch == 4
    assert config.near.threshold == 0.7
    assert config.inputs[0].source == "s"
    assert config.columns.id == "key"


def test_an_override_reaches_an_input_that_is_a_path_alone(tmp_path):
    path = write(tmp_path, "inputs: [a, b]\nagainst: [old]\n")
    config = load_config(path, overrides=["inputs.1.format=csv", "against.0.source=s"])
    assert [(item.path, item.format) for item in config.inputs] == [("a", None), ("b", "csv")]
    assert (config.against[0].path, config.against[0].source) == ("old", "s")
    assert load_config(path, overrides=["inputs.0=c"]).inputs[0].path == "c"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("keep", "KEY=VALUE"),
        ("keep=[}", "value is YAML"),
        ("stages.far.x=1", "existing list item"),
        ("keep.by.x=1", "mappings and lists"),
        ("keep.by=longest", "mappings and lists; found keep.by at 'by'"),
        ("keep.0=longest", "mappings and lists"),
    ],
)
def test_wrong_overrides_are_refused(tmp_path, override, message):
    path = write(tmp_path, "inputs: [{path: a}]\nstages: [exact]\nkeep: longest\n")
    with pytest.raises(ConfigError, match=message):
        load_config(path, overrides=[override])


def test_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("CORPUS", "/data/x")
    assert load_config(write(tmp_path, "inputs: [{path: '${env:CORPUS}/y'}]")).inputs[0].path == "/data/x/y"
    with pytest.raises(ConfigError, match="env:UNSET"):
        load_config(write(tmp_path, "inputs: [{path: '${env:UNSET}'}]"))


@pytest.mark.parametrize(
    ("text", "message"),
    [("- a\n- b\n", "a mapping of settings"), ("inputs: [", "is YAML"), ("", "a mapping of settings")],
)
def test_files_that_are_no_configuration(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        load_config(write(tmp_path, text))


def test_a_key_that_stands_twice_is_refused_at_every_depth(tmp_path):
    with pytest.raises(ConfigError, match=r"a configuration is YAML; .*\n  in .*, line 3"):
        load_config(write(tmp_path, "inputs: [{path: x}]\nout: a\ninputs: [{path: y}]\n"))
    with pytest.raises(ConfigError, match="found the key 'threshold' twice"):
        load_config(write(tmp_path, "inputs: [x]\nstages: [near: {threshold: 0.9, threshold: 0.8}]"))


def test_merged_keys_do_not_stand_twice(tmp_path):
    text = "inputs: [&a {path: x, format: csv}, {<<: *a, path: y}, {<<: *a}]"
    found = [(item.path, item.format) for item in load_config(write(tmp_path, text)).inputs]
    assert found == [("x", "csv"), ("y", "csv"), ("x", "csv")]


def test_a_path_may_stand_for_an_input(tmp_path):
    config = load_config(write(tmp_path, "inputs: [x.parquet, {path: y.csv}]\nagainst: [old]"))
    assert [item.path for item in config.inputs] == ["x.parquet", "y.csv"]
    assert config.against[0].path == "old"
    assert make_config({"inputs": ["x.parquet"]}) == make_config(BASE)


def test_a_mistyped_name_is_told_before_the_one_that_is_missing():
    with pytest.raises(ConfigError, match=r"found 'input'\. Did you mean 'inputs'\?"):
        make_config({"input": [{"path": "x"}]})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.yaml: No such file"):
        load_config(str(tmp_path / "nowhere.yaml"))


def test_only_what_matters_enters_the_fingerprint():
    same = make_config(BASE | {"out": "elsewhere", "threads": 7, "memory": "9GB", "allow_loss": ["x"]})
    assert same.decisive() == make_config(BASE).decisive()
    assert make_config(BASE | {"seed": 1}).decisive() != make_config(BASE).decisive()


def test_the_schema_knows_the_short_forms():
    schema = pipeline_schema()
    stages = schema["properties"]["stages"]["items"]["anyOf"]
    assert stages[0] == {"enum": ["exact", "near", "contained", "semantic", "paragraphs"]}
    assert stages[1]["properties"]["near"]["anyOf"][0] == {"$ref": "#/$defs/Near"}
    for name in ("inputs", "against"):
        assert schema["properties"][name]["items"]["anyOf"] == [
            {"$ref": "#/$defs/Input"},
            {"type": "string", "minLength": 1},
        ]
    assert {"Near", "Exact"} <= set(schema["$defs"])
    assert schema["properties"]["keep"]["anyOf"][0]["type"] == "string"
    assert [kind["type"] for kind in schema["properties"]["memory"]["anyOf"]] == ["integer", "string", "null"]


def test_where_things_are_does_not_matter():
    assert make_config({"inputs": [{"path": "/a/x.parquet"}]}).decisive() == make_config(BASE).decisive()
