import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import ArtefactError
from tamis.hashing.murmur3 import murmur3_bytes
from tamis.pipeline.blocking.score_store import keep_scores, kept_scores, pair_keys


def keys(*some):
    return pair_keys(pa.array([a for a, _ in some], pa.string()), pa.array([b for _, b in some], pa.string()))


def test_keys_are_hashes_of_both_texts():
    found = keys(("sieve", "tamis"), ("tamis", "sieve"), ("sieve", "tamis"))
    expected = np.array([*murmur3_bytes(b"sieve"), *murmur3_bytes(b"tamis")], np.uint64)
    assert found[0].tobytes() == expected.tobytes()
    assert found[0] == found[2] != found[1]
    assert len(keys()) == 0


def test_scores_are_kept(tmp_path):
    a, b = keys(("a", "b"), ("a", "c")), keys(("x", "y"))
    assert [len(some) for some in kept_scores(tmp_path / "none")] == [0, 0]
    keep_scores(tmp_path, a, np.array([0.25, -1.5]))
    keep_scores(tmp_path, b, np.array([3.0]))
    keep_scores(tmp_path, b, np.array([3.0]))  # the same rows are the same file
    assert len(list(tmp_path.iterdir())) == 2
    known, scores = kept_scores(tmp_path)
    assert dict(zip(known.tolist(), scores.tolist(), strict=True)) == {
        a[0].tobytes(): 0.25,
        a[1].tobytes(): -1.5,
        b[0].tobytes(): 3.0,
    }


@pytest.mark.parametrize("damage", [b"", b"PAR1", None])
def test_damaged_files_are_named(tmp_path, damage):
    keep_scores(tmp_path, keys(("a", "b")), np.array([0.25]))
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-9] if damage is None else damage)
    with pytest.raises(ArtefactError, match=path.name):
        kept_scores(tmp_path)
