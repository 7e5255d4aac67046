"""Every file of the corpus has the outcome it should, and some changes of each do no harm."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fuzz import seeds
from fuzz.mutate import TOKENS, mutated
from fuzz.targets import CORPUS, TARGETS
from fuzz.targets import seeds as corpus

from tamis.hashing.errors import TamisError
from tamis.pipeline.text_column import text_buffers

RUN = Path(__file__).parent / "run.py"

INPUTS, SEED = 300, 3

OUTCOMES = {
    "arrow/dictionary.stream": "5 records, 0 bad [], facts of no text",
    "arrow/lz4.file": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "arrow/lz4.stream": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "arrow/plain.file": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "arrow/plain.stream": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "arrow/required-nulls.stream": "InputError: an Arrow input is a readable Arrow IPC file or stream",
    "arrow/views.stream": "2 records, 0 bad [], facts of 0 bad, 3cbf",
    "config/long.yaml": "filter, exact, near",
    "config/short.yaml": "exact, near",
    "csv/old.csv": "2 records, 0 bad [], facts of 0 bad, 2620",
    "csv/plain.csv": "3 records, 0 bad [], facts of 0 bad, fb5f",
    "csv/plain.csv.gz": "3 records, 0 bad [], facts of 0 bad, fb5f",
    "csv/semicolons.csv": "3 records, 1 bad ['blank-line'], facts of 1 bad, 7212",
    "csv/utf16.csv": "1 records, 0 bad [], facts of 0 bad, e77a",
    "filter_condition/0.sql": "[-1, 0, 0, 0, -1] by text, score",
    "filter_condition/1.sql": "[-1, 0, 0, -1, -1] by n, ok",
    "filter_condition/2.sql": "[-1, 0, 0, 0, -1] by tags",
    "filter_condition/3.sql": "[-1, 0, 0, 0, 0] by meta",
    "filter_condition/4.sql": "[0, -1, 0, 0, 0] by when",
    "filter_condition/5.sql": "[-1, 0, 0, -1, 0] by text",
    "filter_condition/6.sql": "[0, 0, 0, 0, 0] by text",
    "filter_condition/7.sql": "InputError: a filter can be judged for every record",
    "jsonl/numbers.jsonl": "4 records, 0 bad [], facts of 0 bad, 56d6",
    "jsonl/plain.jsonl": "3 records, 1 bad ['wrong-type'], facts of 1 bad, 131b",
    "jsonl/plain.jsonl.bz2": "3 records, 1 bad ['wrong-type'], facts of 1 bad, 131b",
    "jsonl/plain.jsonl.gz": "4 records, 1 bad ['wrong-type'], facts of 1 bad, c7d8",
    "jsonl/plain.jsonl.xz": "3 records, 1 bad ['wrong-type'], facts of 1 bad, 131b",
    "jsonl/plain.jsonl.zst": "3 records, 1 bad ['wrong-type'], facts of 1 bad, 131b",
    "jsonl/strings.jsonl": "4 records, 1 bad ['blank-line'], facts of 1 bad, 5b3a",
    "parquet/delta.parquet": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "parquet/dictionary.parquet": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "parquet/footer-promises-more.parquet": "InputError: a Parquet input can be read to its end",
    "parquet/groups.parquet": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "parquet/name-of-invalid-utf8.parquet": "InputError: a Parquet input is a readable Parquet file",
    "parquet/nested.parquet": "5 records, 0 bad [], facts of no text",
    "parquet/plain.parquet": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "parquet/version2.parquet": "5 records, 0 bad [], facts of 1 bad, 6ff7",
    "text/long.txt": "61 words, error at -1",
    "text/scripts.txt": "13 words, error at -1",
    "text/words.txt": "18 words, error at -1",
    "warc/encoded.warc": "5 records, 0 bad [], facts of 0 bad, f1ba",
    "warc/plain.warc": "4 records, 1 bad ['not-text'], facts of 1 bad, 3d05",
    "warc/plain.warc.gz": "2 records, 0 bad [], facts of 0 bad, c86a",
}
"""Of each file: what its target returns, or how the message begins."""


def outcome(target, data):
    try:
        return TARGETS[target](data)
    except TamisError as error:
        return f"{type(error).__name__}: {error.rule}"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_outcomes_of_the_corpus(path):
    assert outcome(path.parent.name, path.read_bytes()) == OUTCOMES[f"{path.parent.name}/{path.name}"]


def test_corpora_are_small():
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS) == set(TOKENS)
    for folder in CORPUS.iterdir():
        sizes = [path.stat().st_size for path in folder.iterdir()]
        assert len(sizes) <= 10
        assert max(sizes) < 2048


def test_seeds_are_those_that_the_script_writes():
    """But for what libraries may write otherwise in other versions."""
    plain = [
        (target, name, data)
        for target, name, data in seeds.seeds()
        if target in ("csv", "text", "config", "filter_condition")
    ]
    assert len(plain) == 18
    for target, name, data in plain:
        assert name.endswith(".gz") or (CORPUS / target / name).read_bytes() == data


def test_inputs_depend_on_their_number_alone():
    data = [mutated("jsonl", [b'{"text": "a"}', b"other"], 1, number) for number in range(200)]
    assert data == [mutated("jsonl", [b'{"text": "a"}', b"other"], 1, number) for number in range(200)]
    assert len(set(data)) > 150
    assert hashlib.sha256(b"|".join(data)).hexdigest()[:16] == "c8a9ac14dc265d27"


@pytest.mark.parametrize("target", TARGETS)
def test_changed_seeds_do_no_harm(target):
    data = corpus(target)
    found = [outcome(target, mutated(target, data, SEED, number)) for number in range(INPUTS)]
    assert len(found) == INPUTS
    assert len(set(found)) > 3


def test_the_runner_counts_its_inputs(tmp_path):
    options = ["--inputs=40", f"--seed={SEED}", "--target=csv", f"--failures={tmp_path}"]
    done = subprocess.run([sys.executable, RUN, *options], capture_output=True, text=True)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")
    assert done.stdout.startswith("csv: 40 inputs, ")
    assert ", 0 failures, max RSS " in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "value",
    [
        "!!int x",
        "!!float x",
        "!!timestamp x",
        "!!bool x",
        '!!int ""',
        "2020-99-99",
        "1" * 4400,
        "[" * 2000,
        "&a [*a]",
        "9" * 320 + "GB",
    ],
)
def test_configurations_that_yaml_stumbles_over(value):
    found = outcome("config", f"inputs: [{{path: a}}]\nmemory: {value}\n".encode())
    assert found.startswith("ConfigError: ")


def test_a_filter_that_fails_on_a_text_beyond_ascii():
    assert outcome("filter_condition", b"CAST(text::json AS double) >= 0").startswith("InputError: ")


def test_encoded_texts_are_read_in_little_memory():
    """They were read with room for the longest that is allowed, 1 GiB each."""
    code = (
        "import resource, sys; from fuzz.targets import warc; "
        "mapped = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize() + (512 << 20); "
        "resource.setrlimit(resource.RLIMIT_AS, (mapped, mapped)); print(warc(sys.stdin.buffer.read()))"
    )
    data = (CORPUS / "warc" / "encoded.warc").read_bytes()
    environment = os.environ | {"PYTHONPATH": str(RUN.parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, env=environment)
    assert (done.stdout.decode(), done.stderr.decode()) == (OUTCOMES["warc/encoded.warc"] + "\n", "")


def test_offsets_in_a_buffer_of_any_length():
    """A damaged Arrow file may say that the buffer of offsets is longer, by any number of bytes: they mean nothing."""
    offsets = pa.py_buffer(np.array([0, 3, 6], np.int32).tobytes() + b"\0")
    texts = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"onetwo"))
    texts.validate(full=True)
    assert text_buffers(texts)[1].tolist() == [0, 3, 6]
