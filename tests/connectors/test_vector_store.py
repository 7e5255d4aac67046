import multiprocessing
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from tamis.connectors import vector_store
from tamis.connectors.vector_store import VectorStore, hash_keys
from tamis.hashing.errors import ArtefactError, ConfigError

HASHES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1)), unique=True, max_size=12)


def keys_of(numbers):
    return hash_keys(np.array([(0, n) for n in numbers], np.uint64).reshape(-1, 2))


def vectors_of(numbers, dim=3):
    return np.array([[n + k / 8 for k in range(dim)] for n in numbers], np.float32).reshape(-1, dim)


def read(store, numbers):
    """Return what is found of some ascending numbers: the first value of its vector by number."""
    vectors = np.full((len(numbers), store.dim), -1, np.float32)
    found = store.read(keys_of(numbers), vectors)
    assert (vectors[~found] == -1).all()
    return {n: vectors[i].tolist() for i, n in enumerate(numbers) if found[i]}


@settings(max_examples=100, derandomize=True, deadline=None)
@given(HASHES)
def test_keys_compare_as_their_numbers_do(hashes):
    hashes = [(first * 2**62, second) for first, second in hashes]
    keys = hash_keys(np.array(hashes, np.uint64).reshape(-1, 2))
    assert len(np.unique(keys)) == len(hashes)
    assert [hashes[i] for i in np.argsort(keys, kind="stable")] == sorted(hashes)


def test_a_key_is_sixteen_bytes_the_first_number_first():
    assert hash_keys(np.array([[1, 2**56 + 3]], np.uint64)).tobytes() == bytes([0] * 7 + [1] + [1] + [0] * 6 + [3])


def test_what_was_added_is_found_in_whichever_part(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_store, "GROUP_ROWS", 2)
    store = VectorStore(tmp_path, "f", 3)
    assert read(store, [1, 2]) == {}
    store.append(keys_of([9, 4, 7, 1, 256]), vectors_of([9, 4, 7, 1, 256]))
    store.append(keys_of([5]), vectors_of([5]))
    store.append(keys_of([]), vectors_of([]))
    assert sorted(p.name for p in (tmp_path / "f").iterdir()) == ["part-00000001.parquet", "part-00000002.parquet"]
    assert read(store, [1, 2, 5, 7, 256]) == {n: vectors_of([n])[0].tolist() for n in (1, 5, 7, 256)}
    assert read(store, []) == {}


def test_the_part_with_the_lowest_number_decides(tmp_path):
    store = VectorStore(tmp_path, "f", 3)
    for value in (10, 20, 30):
        store.append(keys_of([1]), vectors_of([value]))
    assert read(store, [1]) == {1: vectors_of([10])[0].tolist()}


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.integers(0, 8), unique=True, max_size=5), max_size=4), st.sets(st.integers(0, 8)))
def test_it_is_a_dictionary_that_keeps_what_came_first(parts, asked):
    due = {}
    with tempfile.TemporaryDirectory() as folder:
        store = VectorStore(Path(folder), "f", 3)
        for number, part in enumerate(parts):
            values = [100 * number + n for n in part]
            store.append(keys_of(part), vectors_of(values))
            due = dict(zip(part, vectors_of(values).tolist(), strict=True)) | due
        assert read(store, sorted(asked)) == {n: due[n] for n in sorted(asked) if n in due}


def test_encoders_share_nothing(tmp_path):
    VectorStore(tmp_path, "one", 3).append(keys_of([1]), vectors_of([1]))
    assert read(VectorStore(tmp_path, "other", 3), [1]) == {}


def test_unfinished_files_are_not_read(tmp_path):
    store = VectorStore(tmp_path, "f", 3)
    store.append(keys_of([1]), vectors_of([1]))
    (tmp_path / "f/.0123.unfinished").write_bytes(b"PAR1 half")
    assert list(read(store, [1, 2])) == [1]


def add(folder, number):
    for i in range(5):
        VectorStore(folder, "f", 3).append(keys_of([100 * number + i]), vectors_of([100 * number + i]))


def test_processes_add_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add, args=(tmp_path, number)) for number in (1, 2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    numbers = [100 * number + i for number in (1, 2) for i in range(5)]
    assert read(VectorStore(tmp_path, "f", 3), numbers) == {n: vectors_of([n])[0].tolist() for n in numbers}
    assert sorted(p.name for p in (tmp_path / "f").iterdir()) == [f"part-{i:08d}.parquet" for i in range(1, 11)]


def test_any_changed_byte_of_a_vector_is_seen(tmp_path):
    store = VectorStore(tmp_path, "f", 3)
    store.append(keys_of([1]), vectors_of([1]))
    place = tmp_path / "f/part-00000001.parquet"
    whole = place.read_bytes()
    for stored in (vectors_of([1]).tobytes(), keys_of([1]).tobytes()):
        at = whole.index(stored)
        for byte in range(at, at + len(stored)):
            place.write_bytes(whole[:byte] + bytes([whole[byte] ^ 1]) + whole[byte + 1 :])
            with pytest.raises(ArtefactError, match="part-00000001.parquet.*Delete this file"):
                read(store, [1])


@pytest.mark.parametrize("keep", [0, 3, 100])
def test_a_part_that_was_cut_off_is_named(tmp_path, keep):
    store = VectorStore(tmp_path, "f", 3)
    store.append(keys_of([1]), vectors_of([1]))
    place = tmp_path / "f/part-00000001.parquet"
    place.write_bytes(place.read_bytes()[:keep])
    with pytest.raises(ArtefactError, match="part-00000001.parquet"):
        read(store, [1])


def test_a_part_of_another_encoder_is_named(tmp_path):
    VectorStore(tmp_path, "g", 3).append(keys_of([1]), vectors_of([1]))
    (tmp_path / "g").rename(tmp_path / "f")
    with pytest.raises(ArtefactError, match="'fingerprint': 'g'.* where .*'fingerprint': 'f'"):
        read(VectorStore(tmp_path, "f", 3), [1])
    place = tmp_path / "f/part-00000001.parquet"
    pq.write_table(pq.read_table(place).replace_schema_metadata(None), place)
    with pytest.raises(ArtefactError, match=r"found .*: \{\} where"):
        read(VectorStore(tmp_path, "f", 3), [1])


def test_a_folder_that_cannot_be_written_is_a_setting_that_cannot_be(tmp_path):
    (tmp_path / "f").write_text("a file")
    with pytest.raises(ConfigError, match="vectors can be stored"):
        VectorStore(tmp_path, "f", 3).append(keys_of([1]), vectors_of([1]))
