"""Cards, Croissant descriptions and snippets, read by those they are written for."""

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from described import read

from tamis.pipeline import card, croissant
from tamis.pipeline.mixture_snippets import snippet

pytestmark = pytest.mark.readers

rdflib_warns = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
"""mlcroissant's rdflib warns of itself."""


def rows_of(out, name):
    return [row for path in sorted((out / "data" / name).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_a_card_tells_datasets_where_splits_are(out, tmp_path):
    datasets = pytest.importorskip("datasets")
    manifest, mixture = read(out)
    (out / card.NAME).write_text(card.card(manifest, mixture, name="Sieved"), encoding="utf-8")
    assert datasets.get_dataset_config_names(str(out)) == ["default", "phase-main", "phase-anneal"]
    found = datasets.load_dataset(str(out), cache_dir=str(tmp_path))
    phases = rows_of(out, "train-0-main"), rows_of(out, "train-1-anneal")
    assert {split: rows.to_list() for split, rows in found.items()} == {
        "train": phases[0] + phases[1],
        "validation": rows_of(out, "validation"),
        "held_out": rows_of(out, "held.out"),
    }
    for config, rows in zip(("phase-main", "phase-anneal"), phases, strict=True):
        stream = datasets.load_dataset(str(out), config, split="train", streaming=True)
        assert [row["text"] for row in stream] == [row["text"] for row in rows]


def as_read(value):
    """A value of ours as mlcroissant has it: texts as bytes, decimals as floats."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, list):
        return [as_read(item) for item in value]
    return float(value) if type(value).__name__ == "Decimal" else value


def plain(value):
    """A value of mlcroissant as Python's own."""
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: plain(item) for name, item in value.items()}
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


@rdflib_warns
def test_croissant_describes_every_row(out):
    mlcroissant = pytest.importorskip("mlcroissant")
    manifest, _ = read(out)
    path = out / croissant.NAME
    described = croissant.croissant(manifest, name="Sieved", description="What a test sifted.")
    path.write_text(json.dumps(described), encoding="utf-8")
    dataset = mlcroissant.Dataset(jsonld=str(path))
    assert dataset.metadata.ctx.issues.errors == set()
    assert [record_set.id for record_set in dataset.metadata.record_sets] == [line["name"] for line in manifest["sets"]]
    for line in manifest["sets"]:
        name = line["name"]
        expected = rows_of(out, name)
        found = list(dataset.records(name))
        assert len(found) == len(expected)
        for row, ours in zip(found, expected, strict=True):
            simple = {key: plain(row[f"{name}/{key}"]) for key in ("text", "id", "source", "score", "big", "small")}
            assert simple == {key: as_read(ours[key]) for key in simple}
            for key in ("price", "good", "tags", "seen"):
                assert plain(row[f"{name}/{key}"]) == as_read(ours[key])
            assert plain(row[f"{name}/day"]).date() == ours["day"]
            assert plain(row[f"{name}/an%20odd%2Fname%3A%20%C3%A9"]) == ours["an odd/name: é"]
            assert row[f"{name}/page"][f"{name}/page/url"] == ours["page"]["url"].encode()


@rdflib_warns
def test_croissant_has_the_checksums_of_the_files(out):
    mlcroissant = pytest.importorskip("mlcroissant")
    manifest, _ = read(out)
    described = croissant.croissant(manifest, name="Sieved", description="What a test sifted.")
    metadata = mlcroissant.Metadata.from_json(mlcroissant.Context(), described)
    assert {line.content_url: line.sha256 for line in metadata.file_objects} == {
        f"data/{line['name']}": line["sha256"] for line in manifest["files"]["data"]
    }
    assert mlcroissant.Metadata.from_json(mlcroissant.Context(), metadata.to_json()).name == "Sieved"


def test_the_snippet_for_datasets_runs_and_draws_as_it_says(out, tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    _, mixture = read(out)
    for source in mixture["sources"]:
        folder = tmp_path / "sources" / source
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"source": [source] * 1500}), folder / "rows.parquet")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(snippet(mixture, "hf"), names)
    drawn = {phase: [row["source"] for row in names[f"phase_{phase}"]] for phase in ("main", "anneal")}
    rows = {name: share["rows"] for name, share in mixture["sources"].items()}
    total = sum(rows.values())
    assert sum(map(len, drawn.values())) == pytest.approx(total, abs=5)
    assert set(drawn["anneal"]) == {"books", "wiki"}
    for name, wanted in rows.items():
        found = sum(phase.count(name) for phase in drawn.values())
        assert abs(found - wanted) < 5 * math.sqrt(total) / 2, name
