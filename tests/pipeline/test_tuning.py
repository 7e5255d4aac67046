"""What settings would do, against golden values and against what the bands of a real sample do."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.fingerprint import fingerprint
from tamis.hashing.lsh import Banding, hit_probabilities
from tamis.hashing.sketch import sketch_plan
from tamis.jobs.cli import app
from tamis.jobs.progress import Silent
from tamis.jobs.tuning import Question, tune, yaml_lines
from tamis.pipeline.text_column import text_buffers
from tamis.pipeline.tuning import (
    Observed,
    Setting,
    best_threshold,
    by_threshold,
    prospect,
    recommended,
    settings_for,
)


def test_settings_to_choose_from():
    found = [(s.values, s.recall, s.banding.bands, s.banding.rows) for s in settings_for(0.8, 0.98)]
    assert found == [
        (64, 0.98, 10, 5),
        (128, 0.98, 17, 7),
        (256, 0.9, 21, 10),
        (256, 0.95, 21, 9),
        (256, 0.98, 28, 9),
        (256, 0.99, 26, 8),
        (512, 0.98, 44, 11),
    ]


def test_settings_that_cannot_reach_the_recall_are_left_out():
    assert [s.values for s in settings_for(0.05, 0.98)] == [128, 256, 256, 256, 256, 512]


def test_a_prospect_is_the_sum_of_probabilities():
    observed = Observed(
        rows=101,
        similarities=np.array([0.9, 0.8, 0.5]),
        weights=np.array([1.0, 2.0, 4.0]),
        random=np.array([0.2]),
        drawn=10,
    )
    found = prospect(Setting(20, 0.9, Banding(10, 2)), observed, 0.8)
    p = {s: 1 - (1 - s**2) ** 10 for s in (0.9, 0.8, 0.5, 0.2)}
    met = p[0.9] + 2 * p[0.8]
    candidates = met + 4 * p[0.5] + p[0.2] / 10 * 101 * 100 / 2
    assert found["recall"] == round(met / 3, 4)
    assert found["candidates"] == round(candidates, 1)
    assert found["wasted"] == round(1 - met / candidates, 4)
    assert found["recall_at_threshold"] == round(p[0.8], 4)
    assert found["key_bytes_per_row"] == 80


def test_nothing_alike_gives_no_recall():
    none = np.zeros(0)
    found = prospect(Setting(20, 0.9, Banding(10, 2)), Observed(5, none, none, none, 0), 0.8)
    assert (found["recall"], found["candidates"], found["wasted"]) == (None, 0.0, None)


def test_labels_by_threshold():
    lines = by_threshold(np.array([0.95, 0.8, 0.7, 0.3]), np.array([True, False, True, False]))
    by = {line["threshold"]: line for line in lines}
    assert by[0.8] | {"threshold": 0} == {
        "threshold": 0,
        "right": 1,
        "wrong": 1,
        "missed": 1,
        "precision": 0.5,
        "recall": 0.5,
        "f1": 0.5,
    }
    assert by[0.7]["f1"] == 0.8
    assert by[1.0]["precision"] is None
    assert best_threshold(lines)["threshold"] == 0.7


def test_the_cheapest_that_finds_enough_is_recommended():
    def line(values, recall, cost, candidates):
        return {
            "values": values,
            "recall_at_threshold": recall,
            "microseconds_per_row": cost,
            "candidates": candidates,
        }

    few, near, dear, blind = (
        line(64, 0.98, 1.0, 9),
        line(128, 0.98, 1.09, 3),
        line(256, 0.99, 2.0, 1),
        line(8, 0.5, 0.1, 1),
    )
    assert recommended([few, near, dear, blind], 0.98) == near
    assert recommended([few, dear], 0.98) == few
    assert recommended([blind], 0.98) is None


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Texts in families: some words of each are replaced, so that similarities of all sizes occur."""
    generator = np.random.default_rng(3)
    texts = []
    for family in range(150):
        base = generator.integers(0, 50_000, 120)
        for _ in range(6):
            words = base.copy()
            places = generator.integers(0, 120, generator.integers(0, generator.choice([3, 25])))
            words[places] = generator.integers(50_000, 90_000, len(places))
            texts.append(f"f{family} " + " ".join(map(str, words.tolist())))
    path = tmp_path_factory.mktemp("tune") / "sample.parquet"
    pq.write_table(pa.table({"text": texts, "id": [f"t{i}" for i in range(len(texts))]}), path)
    return path, texts


@pytest.fixture(scope="module")
def found(sample, tmp_path_factory):
    return tune(Question((str(sample[0]),), floor=0.3), tmp_path_factory.mktemp("found"), Silent())


def shared(texts, banding, values, seed):
    """Return which pairs share a band, by brute force: a set of (i, j)."""
    data, offsets = text_buffers(pa.array(texts, pa.large_string()))
    plan = sketch_plan(values=values, unit="word", shingle=5, seed=seed)
    keys = fingerprint(data, offsets, plan, banding=banding, seed=seed).keys
    met = set()
    for band in range(banding.bands):
        buckets = {}
        for row, key in enumerate(keys[:, band].tolist()):
            met |= {(other, row) for other in buckets.setdefault(key, [])}
            buckets[key].append(row)
    return met


def test_candidates_and_recall_are_near_what_the_bands_find(sample, found):
    from brute_force import jaccard, shingles

    texts = list(dict.fromkeys(sample[1]))  # exact copies are no candidates
    sets = [shingles(text) for text in texts]
    families = [text.partition(" ")[0] for text in texts]
    family = [(i, j) for i in range(len(texts)) for j in range(i + 1, len(texts)) if families[i] == families[j]]
    alike = {pair for pair in family if jaccard(sets[pair[0]], sets[pair[1]]) >= 0.8}
    for line in found["settings"]:
        banding = Banding(line["bands"], line["rows"])
        met = [shared(texts, banding, line["values"], seed) for seed in range(5)]
        assert line["candidates"] == pytest.approx(np.mean([len(pairs) for pairs in met]), rel=0.1)
        share = np.mean([len(pairs & alike) / len(alike) for pairs in met])
        assert line["recall"] == pytest.approx(share, abs=0.015)


def test_rows_removed_by_threshold_are_those_of_runs(sample, found, tmp_path):
    import tamis

    by = {line["threshold"]: line["rows"] for line in found["removed"]}
    for threshold in (0.5, 0.8):
        near = {"recall": 0.98, "values": 512, "max_anchors": 64}
        result = tamis.dedup(sample[0], out=tmp_path / f"{threshold}", threshold=threshold, near=near)
        assert by[threshold] == pytest.approx(result.ledger.total.dropped["near"].rows, rel=0.02)


def test_facts_of_the_sample(found, sample):
    assert found["sample"] == {
        "rows": 900,
        "of": 900,
        "bytes": sum(len(text) for text in sample[1]),
        "exact_copies": len(sample[1]) - len(set(sample[1])),
        "short": 0.0,
    }
    assert (found["threshold"], found["threshold_by"]) == (0.8, "default")
    assert all(cost > 0 for cost in found["costs"]["sketch"].values())
    assert found["recommended"] in found["settings"]


def test_the_same_sample_twice(sample, tmp_path):
    question = Question((str(sample[0]),), rows=200)
    one, two = (tune(question, folder, Silent()) for folder in (tmp_path / "a", tmp_path / "b") if not folder.mkdir())
    assert pq.read_table(tmp_path / "a/sample.parquet").equals(pq.read_table(tmp_path / "b/sample.parquet"))
    assert one["sample"]["rows"] == 200
    for left, right in zip(one["settings"], two["settings"], strict=True):
        timed = {"microseconds_per_row": 0, "megabytes_per_second": 0}
        assert left | timed == right | timed


def test_the_yaml_lines_run(found, sample, tmp_path):
    lines = yaml_lines(found, Question((str(sample[0]),)))
    (tmp_path / "p.yaml").write_text(f"inputs: [{{path: {sample[0]}}}]\n{lines}out: {tmp_path / 'out'}\n")
    assert CliRunner().invoke(app, ["run", str(tmp_path / "p.yaml"), "--quiet"]).exit_code == 0
    settings = json.loads((tmp_path / "out/manifest.json").read_text())["settings"]
    assert settings["banding"] == [found["recommended"]["bands"], found["recommended"]["rows"]]


def pairs_file(path, left, right, label):
    pq.write_table(pa.table({"left": left, "right": right, "label": label}), path)
    return str(path)


def test_labelled_texts_choose_the_threshold(sample, tmp_path):
    _, texts = sample
    left = [*texts[0:60:6], *texts[0:60:6]]
    right = [*texts[1:61:6], *texts[6:66:6]]
    path = pairs_file(tmp_path / "pairs.parquet", left, right, [1] * 10 + [0] * 10)
    (tmp_path / "out").mkdir()
    found = tune(Question((str(sample[0]),), pairs=path), tmp_path / "out", Silent())
    labels = found["labels"]
    assert (labels["pairs"], labels["copies"], labels["missing"]) == (20, 10, 0)
    assert labels["best"]["f1"] == 1.0
    assert (found["threshold"], found["threshold_by"]) == (labels["best"]["threshold"], "labels")


def test_labelled_ids_are_looked_up(sample, tmp_path):
    path = pairs_file(tmp_path / "pairs.parquet", ["t0", "t6", "t0"], ["t1", "t12", "gone"], ["yes", "no", "yes"])
    (tmp_path / "out").mkdir()
    question = Question((str(sample[0]),), id="id", pairs=path, threshold=0.5)
    labels = tune(question, tmp_path / "out", Silent())["labels"]
    assert (labels["pairs"], labels["copies"], labels["missing"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"left": ["a"], "right": ["b"]}, "columns left, right and label"),
        ({"left": ["a"], "right": ["b"], "label": ["perhaps"]}, "a label is 1 or 0"),
        ({"left": [None], "right": ["b"], "label": [1]}, "labelled pairs have texts"),
    ],
)
def test_bad_labels_are_refused(sample, tmp_path, table, message):
    pq.write_table(pa.table(table), tmp_path / "pairs.parquet")
    with pytest.raises(InputError, match=message):
        tune(Question((str(sample[0]),), pairs=str(tmp_path / "pairs.parquet")), tmp_path, Silent())


def test_a_threshold_below_what_is_looked_at_is_refused(sample, tmp_path):
    with pytest.raises(ConfigError, match="from 0.4, threshold 0.3"):
        tune(Question((str(sample[0]),), threshold=0.3, floor=0.4, rows=50), tmp_path, Silent())


def test_the_command(sample, tmp_path):
    out = tmp_path / "out"
    run = CliRunner().invoke(app, ["tune", str(sample[0]), "--rows", "300", "--out", str(out), "--quiet"])
    assert run.exit_code == 0, run.output
    assert "near: {threshold: 0.8" in run.output
    found = json.loads((out / "tune.json").read_text())
    assert found["sample"]["rows"] == 300
    assert (out / "near.yaml").read_text() in run.output
    page = (out / "tune.html").read_text()
    assert f'data-key="settings.0.values" data-how="count">{found["settings"][0]["values"]}<' in page
    assert (out / "sample/report.html").exists()
    again = CliRunner().invoke(app, ["tune", str(sample[0]), "--out", str(out)])
    assert isinstance(again.exception, ConfigError)


def test_one_text_is_no_sample(tmp_path, write_parquet):
    with pytest.raises(InputError, match="two texts or more"):
        tune(Question((str(write_parquet("in/x.parquet", text=["alone"])),)), tmp_path, Silent())


def test_hits_of_one_are_certain():
    assert hit_probabilities(np.array([1.0]), 3, 4).tolist() == [1.0]


def test_a_place_that_cannot_be_written(sample):
    run = CliRunner().invoke(app, ["tune", str(sample[0]), "--out", "/proc/tuned", "--quiet"])
    assert "the output folder can be made and written; found /proc/tuned: No such file" in str(run.exception)
