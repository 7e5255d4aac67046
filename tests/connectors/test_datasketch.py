import doctest
import pickle
import random
import subprocess
import sys
from collections import defaultdict
from itertools import combinations

import hypothesis.strategies as st
import numpy as np
import pytest
from datasketch import LeanMinHash, MinHash, MinHashLSH, WeightedMinHashGenerator, bBitMinHash
from hypothesis import given, settings

from tamis.connectors import datasketch as module
from tamis.connectors.datasketch import (
    MAX_SEED,
    from_datasketch,
    read_lean,
    shingle_hash_32,
    shingle_hash_64,
    to_lean,
    to_minhash,
    write_lean,
)
from tamis.hashing.bands import band_keys
from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.oph import EMPTY
from tamis.hashing.read_only import read_only
from tamis.hashing.shingles import shingle_sets
from tamis.hashing.sketch import signatures, sketch_plan, sketch_shingles

HASHFUNCS = {32: shingle_hash_32, 64: shingle_hash_64}
TEXTS = [
    "the sieve lets the flour through and keeps the bran for the hens in the yard",
    "",
    "one word more",
    " ...",
    "篩子把麵粉過濾得很細。",
]
FIRST, LAST = np.array([1, 2], np.uint64), np.array([2**64 - 1], np.uint64)

both_widths = pytest.mark.parametrize("bits", [32, 64])


def minhash_plan(bits, *, values=16, seed=1):
    return sketch_plan("minhash", values=values, bits=bits, seed=seed, shingle=3)


def packed(texts):
    data = [text.encode() for text in texts]
    return np.frombuffer(b"".join(data), np.uint8), read_only(np.cumsum([0, *map(len, data)]))


def sketched(texts, plan):
    return signatures(*packed(texts), plan)


def shingles_of(texts, plan):
    """Return the shingle hashes of each text as a list of Python integers."""
    values, bounds = shingle_sets(*packed(texts), plan.unit, plan.shingle, plan.table)
    return [values[a:b].tolist() for a, b in zip(bounds, bounds[1:], strict=False)]


def theirs(shingles, bits, *, values=16, seed=1):
    """Sketch shingle hashes by datasketch alone."""
    sketch = MinHash(values, seed=seed, scheme=f"affine{bits}", hashfunc=HASHFUNCS[bits])
    sketch.update_batch(shingles)
    return sketch


def legacy(*elements, values=16, seed=1):
    sketch = MinHash(values, seed=seed, scheme="legacy")
    sketch.update_batch(elements)
    return sketch


def refused(kind, function, *args, **options):
    """Return rule and value of the error that a call must end with."""
    with pytest.raises(kind) as caught:
        function(*args, **options)
    assert type(caught.value) is kind
    assert caught.value.remedy.endswith(".")
    return caught.value.rule, caught.value.value


def test_examples():
    assert doctest.testmod(module).failed == 0


# --- the same functions

# What datasketch 2.0 makes of the elements 1, 2 and 2^64 - 1, four values: changing ours is a format change.
GOLDEN = {
    (64, 0): [0x475AC4C8ED21B427, 0x182693C1D080841E, 0x5D19545922D46138, 0x4441881CAF27FE6C],
    (64, 1): [0x1A442F18FB7601C1, 0x47E403A8F03A446D, 0x4460D600A033668B, 0x2F0988D5287B6D67],
    (64, MAX_SEED): [0x1D729E54CDD05A63, 0x0E4C453B4712100F, 0x58C813684BFFE997, 0x3EA6980E25F119DD],
    (32, 0): [0x47EC0B14, 0x0FEE7AE4, 0x02204545, 0xEAF29A20],
    (32, 1): [0x35B9BCB2, 0x07D2AC3A, 0x061DAE5C, 0x542AC62C],
    (32, MAX_SEED): [0x37BC0B83, 0x7C4EEA9D, 0x10AFB2B5, 0x0CA00254],
}


@pytest.mark.parametrize(("bits", "seed"), GOLDEN)
def test_golden(bits, seed):
    plan = minhash_plan(bits, values=4, seed=seed)
    ours = sketch_shingles(np.concatenate([FIRST, LAST]), plan)
    assert ours.tolist() == GOLDEN[bits, seed]
    assert theirs([1, 2, 2**64 - 1], bits, values=4, seed=seed).hashvalues.tolist() == GOLDEN[bits, seed]


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30),
    st.integers(1, 40),
    st.integers(0, MAX_SEED),
    st.sampled_from([32, 64]),
)
def test_signatures_are_those_of_datasketch(shingles, values, seed, bits):
    plan = minhash_plan(bits, values=values, seed=seed)
    ours = sketch_shingles(np.array(shingles, np.uint64), plan)
    assert ours.tolist() == theirs(shingles, bits, values=values, seed=seed).hashvalues.tolist()
    one_by_one = MinHash(values, seed=seed, scheme=f"affine{bits}", hashfunc=HASHFUNCS[bits])
    for shingle in shingles:
        one_by_one.update(shingle)
    assert ours.tolist() == one_by_one.hashvalues.tolist()


@both_widths
def test_texts_become_what_datasketch_makes_of_their_shingles(bits):
    plan = minhash_plan(bits)
    expected = [theirs(shingles, bits) for shingles in shingles_of(TEXTS, plan)]
    for sketch, lean, other in zip(
        to_minhash(sketched(TEXTS, plan), plan), to_lean(sketched(TEXTS, plan), plan), expected, strict=True
    ):
        assert type(sketch) is MinHash
        assert type(lean) is LeanMinHash
        assert sketch == other
        assert lean == LeanMinHash(other)
        assert sketch.hashvalues.dtype == lean.hashvalues.dtype == other.hashvalues.dtype == f"uint{bits}"
        assert sketch.permutations.dtype == f"uint{bits}"
        assert sketch.permutations.tolist() == other.permutations.tolist()


# --- what comes out


@both_widths
def test_texts_without_tokens_are_empty_sketches(bits):
    plan = minhash_plan(bits)
    found = sketched(TEXTS, plan)
    for sketches in (to_minhash(found, plan), to_lean(found, plan)):
        assert [sketch.is_empty() for sketch in sketches] == [False, True, False, True, False]
        assert set(sketches[1].hashvalues.tolist()) == {2**bits - 1}


@both_widths
def test_sketches_can_be_updated(bits):
    plan = minhash_plan(bits)
    first, last = to_minhash(np.stack([sketch_shingles(part, plan) for part in (FIRST, LAST)]), plan)
    all_three = theirs([1, 2, 2**64 - 1], bits)
    merged = first.copy()
    merged.merge(last)
    assert merged == all_three
    assert first == theirs([1, 2], bits)
    first.update_batch(LAST)  # integers of numpy
    assert first == all_three
    last.update(1)
    last.update(2)
    assert last == all_three
    assert MinHash.union(first, last) == all_three


@both_widths
def test_empty_sketches_can_be_updated(bits):
    plan = minhash_plan(bits)
    sketch = to_minhash(sketched([""], plan), plan)[0]
    sketch.update_batch([5, 6])
    assert sketch == theirs([5, 6], bits)


@both_widths
def test_sketches_share_their_functions_and_own_their_values(bits):
    plan = minhash_plan(bits)
    found = sketched(TEXTS, plan)
    before = found.copy()
    one, other, *_ = to_minhash(found, plan)
    assert one.permutations is other.permutations
    assert not np.shares_memory(one.permutations, plan.functions)
    for sketch in (one, to_lean(found, plan)[0]):
        sketch.hashvalues[:] = 0
    assert found.tolist() == before.tolist()


@both_widths
def test_sketches_survive_pickling(bits):
    plan = minhash_plan(bits)
    found = sketched(TEXTS[:1], plan)
    (sketch,), (lean,) = to_minhash(found, plan), to_lean(found, plan)
    twin = pickle.loads(pickle.dumps(sketch))
    assert twin == sketch
    assert pickle.loads(pickle.dumps(lean)) == lean
    sketch.update(2**63)
    twin.update(2**63)
    assert twin == sketch
    assert twin != to_minhash(found, plan)[0]


@both_widths
def test_the_estimate_is_the_share_of_equal_values(bits):
    plan = minhash_plan(bits, values=256)
    found = sketched([TEXTS[0], TEXTS[0] + " at night"], plan)
    one, other = to_minhash(found, plan)
    assert one.jaccard(other) == np.equal(*found).mean()
    assert 0.7 < one.jaccard(other) < 1  # 14 of 16 shingles


@pytest.mark.parametrize("function", [to_minhash, to_lean, write_lean])
def test_no_signatures_are_no_sketches(function):
    for bits in (32, 64):
        assert function(np.empty((0, 16), np.uint64), minhash_plan(bits)) == []


# --- what comes in


@both_widths
@pytest.mark.parametrize("function", [to_minhash, to_lean])
def test_signatures_come_back(bits, function):
    plan = minhash_plan(bits, seed=MAX_SEED)
    found = sketched(TEXTS, plan)
    back = from_datasketch(function(found, plan), seed=MAX_SEED)
    assert back.values.dtype == np.uint64
    assert back.values.tolist() == found.tolist()
    assert back.values[1].tolist() == [int(EMPTY)] * 16
    assert (back.scheme, back.seed, back.bits) == (f"affine{bits}", MAX_SEED, bits)
    back.check_comparable(plan)


def test_both_classes_can_be_read_together():
    plan = minhash_plan(32)
    found = sketched(TEXTS, plan)
    mixed = [pair[i % 2] for i, pair in enumerate(zip(to_minhash(found, plan), to_lean(found, plan), strict=True))]
    assert from_datasketch(iter(mixed)).values.tolist() == found.tolist()


def test_legacy_sketches_can_be_read():
    sketches = [legacy(b"a", values=2), MinHash(2, scheme="legacy"), LeanMinHash(legacy(b"a", b"b", values=2))]
    back = from_datasketch(sketches)
    assert back.values.dtype == np.uint64
    assert back.values.tolist() == [[0x11BD43D3, 0x88819EC2], [2**64 - 1] * 2, [0x11BD43D3, 0x2C0DFD22]]
    assert (back.scheme, back.seed, back.bits) == ("legacy", 1, 32)


def test_one_value_with_all_bits_set_does_not_make_a_sketch_empty():
    sketch = LeanMinHash(seed=1, hashvalues=[2**32 - 1, 7], scheme="affine32")
    assert from_datasketch([sketch]).values.tolist() == [[2**32 - 1, 7]]


def test_what_is_read_is_a_copy():
    for scheme in ("legacy", "affine32", "affine64"):
        sketch = MinHash(4, scheme=scheme)
        from_datasketch([sketch]).values[:] = 0
        assert sketch.is_empty()


def test_sketches_that_differ_are_refused():
    plan = minhash_plan(64)
    same = to_minhash(sketched(TEXTS, plan), plan)
    for other, name, values in [
        (theirs([1], 32), "scheme", "affine64 at place 0 and affine32 at place 5"),
        (legacy(b"a"), "scheme", "affine64 at place 0 and legacy at place 5"),
        (theirs([1], 64, seed=2), "seed", "1 at place 0 and 2 at place 5"),
        (theirs([1], 64, values=8), "number of values", "16 at place 0 and 8 at place 5"),
    ]:
        for twin in (other, LeanMinHash(other)):
            expected = f"sketches that are read together have one {name}", values
            assert refused(InputError, from_datasketch, [*same, twin]) == expected


def test_another_seed_than_asked_for_is_refused():
    found = refused(InputError, from_datasketch, [theirs([1], 32, seed=3)], seed=1)
    assert found == ("sketches have the seed that is asked for", "3 instead of 1")


def test_no_sketches_are_refused():
    # There is no scheme to tell.
    for function in (from_datasketch, read_lean):
        assert refused(InputError, function, []) == ("there is at least one sketch to read", "none")


def test_other_things_are_refused():
    rule = "a sketch is a MinHash or LeanMinHash of datasketch"
    sketch = theirs([1], 32)
    for other, name in [
        (bBitMinHash(sketch), "bBitMinHash"),
        (WeightedMinHashGenerator(4, sample_size=16).minhash([1, 2, 3, 4]), "WeightedMinHash"),
        (sketch.hashvalues, "ndarray"),
    ]:
        assert refused(InputError, from_datasketch, [sketch, other]) == (rule, f"{name} at place 1")


def test_sketches_of_no_seed_are_refused():
    # They would pass for sketches of one seed, and have different functions.
    found = refused(InputError, from_datasketch, [theirs([1], 32), MinHash(16, seed=None)])
    assert found == ("the seed of a sketch is an integer", "None at place 1")


# --- plans


@pytest.mark.parametrize("kind", ["oph", "fss"])
def test_other_kinds_are_refused(kind):
    plan = sketch_plan(kind, values=16)
    found = np.zeros((1, 16), np.uint64)
    expected = "sketches of datasketch are of kind minhash", kind
    for function in (to_minhash, to_lean, write_lean):
        assert refused(ConfigError, function, found, plan) == expected
    assert refused(ConfigError, from_datasketch([theirs([1], 64)]).check_comparable, plan) == expected


@pytest.mark.parametrize("seed", [2**32, 2**64 - 1])
def test_seeds_that_datasketch_does_not_have_are_refused(seed):
    plan = minhash_plan(64, seed=seed)
    for function in (to_minhash, to_lean, write_lean):
        found = refused(ConfigError, function, sketched(TEXTS, plan), plan)
        assert found == ("a seed of datasketch is at most 4294967295", seed)
    with pytest.raises(ValueError, match="Seed must be between 0 and 2"):
        MinHash(seed=seed)


@pytest.mark.parametrize("function", [to_minhash, to_lean, write_lean])
def test_signatures_of_another_plan_are_refused(function):
    wide, narrow = minhash_plan(64), minhash_plan(32)
    found = sketched(TEXTS, wide)
    assert refused(InputError, function, found, narrow) == ("values of this plan have 32 bits", int(found[::2].max()))
    rule = "signatures of this plan have the shape (n, 16)"
    assert refused(InputError, function, found[:, :15], wide) == (rule, (5, 15))
    assert refused(InputError, function, found[0], wide) == (rule, (16,))


@pytest.mark.parametrize(
    ("other", "described"),
    [
        (minhash_plan(64), "affine64, 16 values, seed 1"),
        (minhash_plan(32, values=17), "affine32, 17 values, seed 1"),
        (minhash_plan(32, seed=2), "affine32, 16 values, seed 2"),
        (minhash_plan(32, seed=2**32 + 1), "affine32, 16 values, seed 4294967297"),
    ],
)
def test_sketches_are_compared_with_their_like(other, described):
    found = from_datasketch([theirs([1], 32)])
    found.check_comparable(minhash_plan(32))
    rule = "sketches are compared with signatures of their scheme, number of values and seed"
    value = f"affine32, 16 values, seed 1 beside {described}"
    assert refused(InputError, found.check_comparable, other) == (rule, value)


@both_widths
def test_legacy_sketches_fit_no_plan(bits):
    _, value = refused(InputError, from_datasketch([legacy(b"a")]).check_comparable, minhash_plan(bits))
    assert value == f"legacy, 16 values, seed 1 beside affine{bits}, 16 values, seed 1"


# --- bytes


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (32, ["01 574fbfdb 859e98a4", "01 ffffffff ffffffff"]),
        (64, ["02 9296d723089a191c 433f735832d11803", "02 ffffffffffffffff ffffffffffffffff"]),
    ],
)
def test_golden_bytes(bits, expected):
    # Seed, minus the number of values, code of the scheme, values: the format of datasketch 2.0.
    plan = minhash_plan(bits, values=2, seed=MAX_SEED)
    found = np.stack([sketch_shingles(np.concatenate([FIRST, LAST]), plan), np.full(2, EMPTY)])
    head = bytes.fromhex("00000000ffffffff fffffffe")
    assert write_lean(found, plan, byteorder=">") == [head + bytes.fromhex(row) for row in expected]


@both_widths
@pytest.mark.parametrize("byteorder", ["@", "=", "<", ">"])
def test_written_sketches_come_back(bits, byteorder):
    plan = minhash_plan(bits)
    found = sketched(TEXTS, plan)
    written = write_lean(found, plan, byteorder=byteorder)
    assert {type(row) for row in written} == {bytes}
    assert [LeanMinHash.deserialize(row, byteorder) for row in written] == to_lean(found, plan)
    back = read_lean(written, byteorder=byteorder)
    assert back.values.tolist() == found.tolist()
    back.check_comparable(plan)


def test_bytes_are_of_this_machine_unless_told():
    plan = minhash_plan(64)
    found = sketched(TEXTS, plan)
    assert write_lean(found, plan) == write_lean(found, plan, byteorder="@")
    assert [LeanMinHash.deserialize(row) for row in write_lean(found, plan)] == to_lean(found, plan)
    assert read_lean(map(bytearray, write_lean(found, plan))).values.tolist() == found.tolist()


def test_bytes_of_datasketch_1_are_read():
    # Seed 1, two values, as every version before 2.0 wrote them.
    back = read_lean([bytes.fromhex("0100000000000000 02000000 d343bd11 c29e8188")], byteorder="<")
    assert back.values.tolist() == [[0x11BD43D3, 0x88819EC2]] == [legacy(b"a", values=2).hashvalues.tolist()]
    assert (back.scheme, back.seed) == ("legacy", 1)


def test_bytes_that_are_no_sketch_are_refused():
    rule = "a serialised sketch is as LeanMinHash writes it"
    good = write_lean(sketched(TEXTS[:1], minhash_plan(32)), minhash_plan(32), byteorder="<")[0]
    for bad, value in [
        (b"", "unpack_from requires a buffer of at least 12 bytes"),
        (good[:-1], "unpack_from requires a buffer of at least 77 bytes"),
        (good + b"\0", "78 bytes, not 77"),
        (bytes(77), "77 bytes, not 12"),
        (good[:12] + b"\3" + good[13:], "Unknown permutation scheme code: 3"),
    ]:
        found, shown = refused(InputError, read_lean, [good, bad], byteorder="<")
        assert found == rule
        assert shown.startswith(f"at place 1: {value}")


@both_widths
@pytest.mark.parametrize(("written", "read"), [("@", "<"), ("<", "@"), ("<", ">"), (">", "<")])
def test_another_byte_order_is_refused(bits, written, read):
    plan = minhash_plan(bits)
    rows = write_lean(sketched(TEXTS, plan), plan, byteorder=written)
    assert refused(InputError, read_lean, rows, byteorder=read)[0] == "a serialised sketch is as LeanMinHash writes it"


def test_written_sketches_that_differ_are_refused():
    rows = [write_lean(sketched(TEXTS[:1], plan), plan)[0] for plan in (minhash_plan(32), minhash_plan(64))]
    _, value = refused(InputError, read_lean, rows)
    assert value == "affine32 at place 0 and affine64 at place 1"


# --- the same bands


def families(count):
    """Return texts of random words, and copies of them in which ever more words are others."""
    rng = random.Random(0)
    vocabulary = [f"w{i}" for i in range(5000)]
    texts = []
    for _ in range(count):
        words = rng.choices(vocabulary, k=rng.randint(20, 60))
        for changes in range(0, 10, 2):
            copy = list(words)
            for place in rng.sample(range(len(copy)), changes):
                copy[place] = rng.choice(vocabulary)
            texts.append(" ".join(copy))
    rng.shuffle(texts)
    return [*texts, "", " ..."]


def our_buckets(found, bands, rows):
    """Return, for each band, the sets of rows that share a key."""
    keys = np.empty((len(found), bands), np.uint64)
    for signature, row in zip(found, keys, strict=True):
        band_keys(signature[: bands * rows], rows, np.uint64(7), row)
    return [buckets(zip(column.tolist(), range(len(found)), strict=True)) for column in keys.T]


def buckets(items):
    members = defaultdict(set)
    for key, item in items:
        members[key].add(item)
    return {frozenset(group) for group in members.values()}


@pytest.mark.parametrize("scheme", ["affine32", "affine64", "legacy"])
@pytest.mark.parametrize(("bands", "rows"), [(12, 5), (8, 8), (4, 13), (31, 2)])
def test_same_bands_same_buckets(scheme, bands, rows):
    texts = families(30)
    plan = minhash_plan(32 if scheme == "legacy" else int(scheme[-2:]), values=64)
    if scheme == "legacy":
        sketches = [MinHash(64, scheme=scheme, hashfunc=shingle_hash_32) for _ in texts]
        for sketch, shingles in zip(sketches, shingles_of(texts, plan), strict=True):
            sketch.update_batch(shingles)
        found = from_datasketch(sketches).values
    else:
        found = sketched(texts, plan)
        sketches = to_minhash(found, plan)
    index = MinHashLSH(num_perm=64, params=(bands, rows))
    for i, sketch in enumerate(sketches):
        index.insert(i, sketch)

    ours = our_buckets(found, bands, rows)
    assert ours == [{frozenset(table.get(key)) for key in table} for table in index.hashtables]

    pairs = {pair for band in ours for bucket in band for pair in combinations(sorted(bucket), 2)}
    queried = {(min(i, j), max(i, j)) for i, sketch in enumerate(sketches) for j in index.query(sketch) if i != j}
    assert pairs == queried
    assert (len(texts) - 2, len(texts) - 1) in pairs  # those without tokens: runs leave them out before
    assert 1 < len(pairs) < 1 + 30 * 10  # of the planted ones some, not all


# --- the package


def test_the_package_is_imported_when_it_is_needed():
    code = (
        "import sys, tamis.jobs.cli, tamis.jobs.api; before = 'tamis.connectors.datasketch' in sys.modules;"
        "import tamis.connectors.datasketch as bridge; print(before, 'datasketch' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False False"


CALLS = [
    (to_minhash, np.zeros((1, 16), np.uint64), minhash_plan(64)),
    (to_lean, np.zeros((1, 16), np.uint64), minhash_plan(64)),
    (write_lean, np.zeros((1, 16), np.uint64), minhash_plan(64)),
    (from_datasketch, []),
    (read_lean, []),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0].__name__)
def test_without_the_package(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasketch", None)
    rule, value = refused(ConfigError, *call)
    assert rule == "sketches of datasketch need its version 2 or newer"
    assert value.startswith("import of datasketch halted")


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0].__name__)
def test_with_an_old_package(call, monkeypatch):
    monkeypatch.setattr(module, "version", lambda name: "1.7.0" if name == "datasketch" else "")
    assert refused(ConfigError, *call) == ("sketches of datasketch need its version 2 or newer", "1.7.0")
