"""Every file of the corpus has the outcome it should, and some changes of each do no harm."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import seeds
from fuzz.mutate import TOKENS, mutated
from fuzz.targets import CORPUS, TARGETS
from fuzz.targets import seeds as corpus

from tamis.hashing.errors import TamisError

RUN = Path(__file__).parent / "run.py"

INPUTS, SEED = 300, 3

OUTCOMES = {
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
    plain = [(target, name, data) for target, name, data in seeds.seeds() if target in ("csv", "text", "config", "filter_condition")]
    assert len(plain) == 18
    for target, name, data in plain:
        assert name.endswith(".gz") or (CORPUS / target / name).read_bytes() == data


def test_inputs_depend_on_their_number_alone():
    data = [mutated("jsonl", [b'{"text": "a"}', b"other"], 1, number) for number in range(200)]
    assert data == [mutated("jsonl", [b'{"text": "a"}', b"other"], 1, number) for number in range(200)]
    assert len(set(data)) > 150
    assert hashlib.sha256(b"|".join(data)).hexdigest()[:16] == "?"


@pytest.mark.parametrize("target", TARGETS)
def test_changed_seeds_do_no_harm(target, tmp_path):
    options = [f"--inputs={INPUTS}", f"--seed={SEED}", f"--target={target}", f"--failures={tmp_path}"]
    done = subprocess.run([sys.executable, RUN, *options], capture_output=True, text=True)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, ""), done.stdout + done.stderr
    assert done.stdout.startswith(f"{target}: {INPUTS} inputs, ")
    assert ", 0 failures, " in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert len(corpus(target)) >= 2
