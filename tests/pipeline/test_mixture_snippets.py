import ast
import copy

import pytest
import yaml
from described import MIXTURE

from tamis.hashing.errors import ConfigError
from tamis.pipeline.mixture_snippets import TARGETS, snippet

# Rows of wiki have 100 words, of the web 10. Of main's 900 words 675 are of wiki, in 6.75 rows, and 225 of the web, in
# 22.5 rows: of 29.25 rows, 0.230769 and 0.769231.
HF = """\
# Probabilities are of rows: converted from words by the mean words of a row of each source.
from datasets import interleave_datasets, load_dataset

files = {
    "the web": "sources/the web/*.parquet",
    "wiki": "sources/wiki/*.parquet",
}
sources = {
    name: load_dataset("parquet", data_files=pattern, split="train", streaming=True)
    for name, pattern in files.items()
}
# A source is repeated as often as its max_epochs lets it.
sources["wiki"] = sources["wiki"].repeat(3)
# One phase after another; each goes on about where the one before left a source.
phase_main = interleave_datasets(
    [
        sources["wiki"],
        sources["the web"],
    ],
    probabilities=[0.230769, 0.769231],
    seed=0,
).take(29)
phase_anneal = interleave_datasets(
    [
        sources["wiki"].skip(7),
    ],
    probabilities=[1.0],
    seed=0,
).take(3)
"""

MOSAIC = """\
# Proportions are of rows: converted from words by the mean words of a row of each source.
# Streaming reads MDS, not Parquet: each source is converted first.
from streaming import Stream, StreamingDataset

# One phase after another. Each begins its streams anew.
phase_main = StreamingDataset(
    streams=[
        Stream(local="sources/wiki", proportion=0.230769),
        Stream(local="sources/the web", proportion=0.769231),
    ],
    epoch_size=29,
    shuffle=True,
    shuffle_seed=0,
    batch_size=1,  # of a device: yours
)
phase_anneal = StreamingDataset(
    streams=[
        Stream(local="sources/wiki", proportion=1.0),
    ],
    epoch_size=3,
    shuffle=True,
    shuffle_seed=0,
    batch_size=1,  # of a device: yours
)
"""

ENERGON = """\
# Weights are of rows: converted from words by the mean words of a row of each source.
# One phase after another: each document is a file of its own.
# Phase main, about 29 rows.
__module__: megatron.energon
__class__: MetadatasetV2
splits:
  train:
    blend:
      - weight: 0.230769
        path: "./sources/wiki"
      - weight: 0.769231
        path: "./sources/the web"
---
# Phase anneal, about 3 rows.
__module__: megatron.energon
__class__: MetadatasetV2
splits:
  train:
    blend:
      - weight: 1.0
        path: "./sources/wiki"
"""

MEGATRON = """\
# Weights are of words, as in the mixture. Megatron's samples are equally many tokens each.
# Each path is the prefix of a source's .bin and .idx.
# One phase after another: a run of Megatron for each.
# Phase main, 0.75 of the tokens.
--data-path \\
  0.75 sources/wiki \\
  0.25 'sources/the web'
# Phase anneal, 0.25 of the tokens.
--data-path \\
  1.0 sources/wiki
"""


@pytest.mark.parametrize(
    ("target", "expected"), [("hf", HF), ("mosaic", MOSAIC), ("energon", ENERGON), ("megatron", MEGATRON)]
)
def test_golden(target, expected):
    assert snippet(MIXTURE, target) == expected


def test_one_phase_by_rows_needs_no_run():
    mixture = {"unit": "rows", "sources": {"a": 1, "b": 1, "c": 1, "none": 0}}
    assert snippet(mixture, "hf", folder="").splitlines()[-9:] == [
        "train = interleave_datasets(",
        "    [",
        '        sources["a"],',
        '        sources["b"],',
        '        sources["c"],',
        "    ],",
        "    probabilities=[0.333334, 0.333333, 0.333333],",
        "    seed=0,",
        ")",
    ]
    assert "# Probabilities are of rows, as in the mixture." in snippet(mixture, "hf")
    assert '"a": "a/*.parquet"' in snippet(mixture, "hf", folder="")
    assert "epoch_size=None,  # rows of the phase" in snippet(mixture, "mosaic")
    assert "rows of all sources are equally long" in snippet(mixture, "megatron")


def test_a_tokenizer_as_unit():
    mixture = {"unit": "gpt2", "sources": {"a": {"weight": 1, "emitted": 10, "rows": 5}}}
    assert "converted from tokens of gpt2 by the mean tokens of gpt2 of a row" in snippet(mixture, "energon")
    assert "# Weights are of tokens of gpt2, as in the mixture." in snippet(mixture, "megatron")


@pytest.mark.parametrize("name", ["it's", 'a "b"', "x\ny", "é*[z]", "a\\b", "$HOME `ls`", "from"])
def test_any_name_of_a_source_is_only_a_name(name):
    mixture = copy.deepcopy(MIXTURE)
    mixture["sources"][name] = mixture["sources"].pop("the web")
    for target in ("hf", "mosaic"):
        texts = {node.value for node in ast.walk(ast.parse(snippet(mixture, target))) if isinstance(node, ast.Constant)}
        assert (name if target == "hf" else f"sources/{name}") in texts
    first = next(iter(yaml.safe_load_all(snippet(mixture, "energon"))))
    assert [line["path"] for line in first["splits"]["train"]["blend"]] == ["./sources/wiki", f"./sources/{name}"]


def test_names_of_phases_that_python_would_take_for_the_same():
    mixture = MIXTURE | {"phases": [{"name": "a.b", "share": 1}, {"name": "a_b", "share": 1}]}
    assert "phase_a_b_ = interleave_datasets(" in snippet(mixture, "hf")


@pytest.mark.parametrize("target", TARGETS)
def test_probabilities_add_up_to_one(target):
    weights = {f"s{i}": {"weight": i + 1, "emitted": 7 * i + 1, "rows": 3} for i in range(12)}
    assert snippet({"sources": weights}, target)
    lines = snippet({"sources": weights}, "energon").splitlines()
    assert sum(float(line.split()[-1]) for line in lines if "weight:" in line) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("target", ["hf", "mosaic", "energon"])
def test_rows_of_unknown_size(target):
    mixture = {"sources": {"a": {"weight": 1, "emitted": 10, "rows": 5}, "b": 2}}
    with pytest.raises(ConfigError, match="where a run has written .*found source 'b' without them"):
        snippet(mixture, target)
    assert snippet(mixture, "megatron")


def test_foreign_targets_and_mixtures():
    with pytest.raises(ConfigError, match="a mixture is written for hf, mosaic, energon, megatron; found webdataset"):
        snippet(MIXTURE, "webdataset")
    with pytest.raises(ConfigError, match=r"is of the form of mixture\.yaml; found sources: Field required"):
        snippet({"unit": "words"}, "hf")
