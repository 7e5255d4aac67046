import hashlib
import pickle
from math import sqrt

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.hashing.oph import TABLED_ATTEMPTS
from tamis.hashing.shingles import shingle_sets
from tamis.hashing.sketch import (
    KINDS,
    MINHASH,
    OPH,
    SKETCH_VERSION,
    complete,
    partial_sketch,
    signatures,
    sketch_plan,
    sketch_shingles,
)
from tamis.hashing.tokens import BLOCK_TOKENS

from . import oracle

GOLDEN_TEXTS = {
    "empty": "",
    "one word": "tamis",
    "a sentence": "The quick brown fox jumps over the lazy dog, and the tamis sifts the flour.",
    "capitals": "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG, AND THE TAMIS SIFTS THE FLOUR",
    "emoji": "well done 👍🎉 see you 😀 tomorrow",
    "nfc": "Le caf\u00e9 d\u00e9j\u00e0 vu \u00e0 No\u00ebl",
    "nfd": "Le cafe\u0301 de\u0301ja\u0300 vu a\u0300 Noe\u0308l",
    "nul": "one\0two\0three\0four\0five\0six",
    "chinese": "篩子把麵粉過濾得很細。",
    "thai": "ตะแกรงร่อนแป้ง",
    "foldings": "Straße İstanbul eﬃcient ΐ ꭰ 𐐀 Ⅷ",
    "1 MB": "".join(f"w{i * i % 99_991} " for i in range(146_000))[:1_000_000],
}


def first_values(signature):
    return " ".join(f"{value:016x}" for value in signature[:4].tolist())


def digest(signature):
    return hashlib.blake2b(signature.astype("<u8").tobytes(), digest_size=8).hexdigest()


# The signatures of version 1, 256 values, word 5-grams, seed 0: first four values and a digest of all.
# Changing these is a format change: raise SKETCH_VERSION.
GOLDEN = {
    "oph": {
        "empty": ("ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff", "6f92aaecbb574bf3"),
        "one word": ("de8e153aa225d6c7 de8e153aa225d6c7 de8e153aa225d6c7 de8e153aa225d6c7", "bb6e89c74b3bd7c6"),
        "a sentence": ("009a41d180ced4cb 41fde66683ea9b5c f436ea21efa74c31 46ccb5f9fb2999ca", "c083c21c2782670d"),
        "capitals": ("009a41d180ced4cb 41fde66683ea9b5c f436ea21efa74c31 46ccb5f9fb2999ca", "c083c21c2782670d"),
        "emoji": ("9f35caaeafb25959 9f35caaeafb25959 9f35caaeafb25959 9f35caaeafb25959", "fb25187cc6d3dab7"),
        "nfc": ("0ef3694fa4fcca8a 0ef3694fa4fcca8a 4eb11cf656da1ce9 4eb11cf656da1ce9", "3b98ed7825a4c72a"),
        "nfd": ("6cd898cec368e17f 6cd898cec368e17f 2b54cdd8dc2b3d0c 6cd898cec368e17f", "ac21679754a10610"),
        "nul": ("c2eec95f80d5b575 c2eec95f80d5b575 c2eec95f80d5b575 c2eec95f80d5b575", "5702b1ab8e8b5692"),
        "chinese": ("4711778c02ad9390 4711778c02ad9390 4711778c02ad9390 44469403fcafbbc3", "680af40f1f51b1f1"),
        "thai": ("3eefa19bfda38078 c30bb117e4d30170 b861ee464608441b 1c5ee133cbb7a508", "5dc6c79918a52dd5"),
        "foldings": ("ebacee80fbc5cb19 ebacee80fbc5cb19 7ecd762128291af7 abca29639cceed6c", "214996dff7006c09"),
        "1 MB": ("00004e5b2e2a35bc 0100b8c3d9bf4e19 0201005835f7845b 03006860e9686b11", "fae238a64136d146"),
    },
    "minhash": {
        "empty": ("ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff", "6f92aaecbb574bf3"),
        "one word": ("7a05a7be4de83454 ef467fac9b8638cf a1aebc1fef075258 241e18ed3c86925d", "14641b7bf0a427ed"),
        "a sentence": ("31e3d90e63804c47 13299193c556ae54 0bc4abc6a14b7025 090cff1812b7098a", "375ddb16f89889a8"),
        "capitals": ("31e3d90e63804c47 13299193c556ae54 0bc4abc6a14b7025 090cff1812b7098a", "375ddb16f89889a8"),
        "emoji": ("230cf811bde9e8fa 7c8e7ecf9a8dd173 b9a39151a28c2d02 cce786573d8b5ec1", "a81f586cf93fa5d7"),
        "nfc": ("3683699ade914683 9010ce04585f7a48 7dac8d5820ab627d 5412d57a1defa69f", "b22dae77e9a3c1a5"),
        "nfd": ("a7fc9f9287e06677 19f799b8718fb9c9 162ff4be087f9c7e 24ea60cedf597f21", "2c1718595f92b2bd"),
        "nul": ("67fa93e41d462a53 511ac9443bf93fc3 4bebb5859343c6b8 7a6860264d2181e5", "064f6f1145793cdb"),
        "chinese": ("434eed60463862ea 32903bc461185dff 1e29937f39e8e795 2e802d709fdc2b5d", "20d2ea3f369e9d33"),
        "thai": ("132da96833863518 029ecb59d19451a4 1f5428c712aec640 5a7f4bf260bd1f1f", "10641530e1082c34"),
        "foldings": ("38e40539aa6cd212 4b8dc2480a448a8a 0c9782726a944f45 829a480e1e656693", "dc524de594e4a02d"),
        "1 MB": ("000101544b3a01a3 0000f8134b5c05fa 00004f9a5e8cd5ef 00008afabc8ea25b", "7f9aab9f9c12c803"),
    },
}


def sketch(texts, plan):
    return signatures(*oracle.packed(texts), plan)


@pytest.mark.parametrize("kind", KINDS)
def test_golden(kind):
    assert SKETCH_VERSION == 1
    assert len(GOLDEN_TEXTS["1 MB"]) == 1_000_000
    found = sketch(GOLDEN_TEXTS.values(), sketch_plan(kind))
    shown = {name: (first_values(row), digest(row)) for name, row in zip(GOLDEN_TEXTS, found, strict=True)}
    assert shown == GOLDEN[kind]


# --- plans


def test_the_default_plan():
    plan = sketch_plan()
    assert (plan.kind, plan.values, plan.shingle) == (OPH, 256, 5)
    assert int(plan.seed) == oracle.derive_seed(0, "oph")
    assert int(plan.donor_seed) == oracle.derive_seed(0, "donor")
    assert plan.donors.shape == (TABLED_ATTEMPTS, 256)
    assert plan.seeds.tolist() == []


def test_a_minhash_plan():
    plan = sketch_plan("minhash", values=10, shingle=2, seed=3)
    assert (plan.kind, plan.values, plan.shingle) == (MINHASH, 10, 2)
    assert plan.donors.shape == (0, 0)
    assert plan.seeds.tolist() == [oracle.derive_seed(3, f"minhash {i}") for i in range(10)]


@pytest.mark.parametrize(
    ("options", "rule", "value", "remedy"),
    [
        ({"kind": "fss"}, "a sketch is one of oph, minhash", "'fss'", "Change `sketch`."),
        ({"kind": "OPH"}, "a sketch is one of oph, minhash", "'OPH'", "Change `sketch`."),
        ({"values": 0}, "a sketch has 1 to 4096 values", 0, "Change `values`."),
        ({"values": 4097}, "a sketch has 1 to 4096 values", 4097, "Change `values`."),
        ({"values": -1}, "a sketch has 1 to 4096 values", -1, "Change `values`."),
        ({"shingle": 0}, "a shingle has 1 to 64 tokens", 0, "Change `shingle.size`."),
        ({"shingle": 65}, "a shingle has 1 to 64 tokens", 65, "Change `shingle.size`."),
    ],
)
def test_plans_that_cannot_be(options, rule, value, remedy):
    with pytest.raises(ConfigError) as caught:
        sketch_plan(**options)
    assert (caught.value.rule, caught.value.value, caught.value.remedy) == (rule, value, remedy)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("values", [1, 4096])
@pytest.mark.parametrize("shingle", [1, 64])
def test_plans_at_the_limits(kind, values, shingle):
    text = " ".join(f"w{i}" for i in range(70))
    (row,) = sketch([text], sketch_plan(kind, values=values, shingle=shingle))
    assert len(row) == values
    assert oracle.EMPTY not in row.tolist()
    if values == 1 or kind == "oph" and shingle == 1:
        assert row.tolist() == oracle.signature(text, kind, values, shingle, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_plans_travel(kind):
    plan = sketch_plan(kind, values=64, seed=2)
    text = GOLDEN_TEXTS["a sentence"]
    assert sketch([text], pickle.loads(pickle.dumps(plan))).tolist() == sketch([text], plan).tolist()


# --- signatures


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(st.text("ab é中\n\u0301👍", max_size=40), max_size=4),
    st.sampled_from(KINDS),
    st.sampled_from([1, 16, 50]),
    st.integers(1, 6),
    st.integers(0, 3),
)
def test_signatures_are_their_definition(texts, kind, values, shingle, seed):
    found = sketch(texts, sketch_plan(kind, values=values, shingle=shingle, seed=seed))
    assert found.tolist() == [oracle.signature(text, kind, values, shingle, seed) for text in texts]


@pytest.mark.parametrize("kind", KINDS)
def test_texts_longer_than_a_block(kind):
    text = " ".join(f"w{i * i % 7001}" for i in range(2 * BLOCK_TOKENS + 5))
    for n in (1, 5, 64):
        plan = sketch_plan(kind, values=16, shingle=n)
        assert sketch([text], plan)[0].tolist() == oracle.signature(text, kind, 16, n, 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [BLOCK_TOKENS + i for i in (-3, -2, -1, 0, 1)])
def test_texts_that_end_at_the_border_of_a_block(kind, count):
    # One word over and over has one shingle, so that any further one shows.
    plan = sketch_plan(kind, values=64)
    text = " ".join(["again"] * count)
    for variant in (text, text + " ..."):
        assert sketch([variant], plan)[0].tolist() == oracle.signature(text, kind, 64, 5, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_depends_on_the_set_alone(kind):
    plan = sketch_plan(kind, values=64, shingle=2)
    one, other = sketch(["row your boat row your boat", "your boat row your boat row your"], plan)
    assert one.tolist() == other.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 5])
def test_sketches_of_shingle_sets_are_those_of_texts(kind, n):
    plan = sketch_plan(kind, values=128, shingle=n, seed=5)
    texts = [text for name, text in GOLDEN_TEXTS.items() if name != "empty"]
    values, bounds = shingle_sets(*oracle.packed(texts), n, plan.table)
    expected = sketch(texts, plan)
    for i, row in enumerate(expected):
        assert sketch_shingles(values[bounds[i] : bounds[i + 1]], plan).tolist() == row.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_texts_without_tokens_are_all_marks(kind):
    found = sketch(["", "a", " ...", "👍"], sketch_plan(kind, values=8))
    assert [set(row) == {oracle.EMPTY} for row in found.tolist()] == [True, False, True, True]


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_give_different_signatures(kind):
    rows = [sketch(["a b c d e f g"], sketch_plan(kind, values=8, seed=seed))[0].tolist() for seed in range(4)]
    assert len(set(map(tuple, rows))) == 4


def test_partial_sketches_can_be_merged_and_completed():
    plan = sketch_plan("oph", values=64, shingle=1)
    halves = [np.empty(64, np.uint64) for _ in range(2)]
    scratch = [np.empty(BLOCK_TOKENS + 1, np.uint64) for _ in range(2)]
    for half, text in zip(halves, ("one two three", "four five"), strict=True):
        data, offsets = oracle.packed([text])
        read = partial_sketch(data, offsets[0], offsets[1], plan, *scratch, half)
        assert read == (len(text.split()), -1)
    out = np.empty(40, np.uint64)
    complete(np.minimum(*halves), plan, out)
    assert out.tolist() == sketch(["one two three four five"], plan)[0, :40].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_partial_sketches_report_where_utf8_ends(kind):
    plan = sketch_plan(kind, values=8)
    data, offsets = oracle.packed([b"one two \xff three"])
    scratch = [np.empty(BLOCK_TOKENS + 5, np.uint64) for _ in range(2)]
    read = partial_sketch(data, offsets[0], offsets[1], plan, *scratch, np.empty(8, np.uint64))
    assert read == (2, offsets[0] + 8)


# --- quality


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_over_texts_are_unbiased(kind):
    # Single-word shingles with serial names: the worst input a corpus has to offer the hash functions.
    plans = [sketch_plan(kind, values=128, shingle=1, seed=seed) for seed in range(100)]
    one = " ".join(f"id{i}" for i in range(0, 300))
    other = " ".join(f"id{i}" for i in range(100, 400))
    agreement = np.array([np.equal(*sketch([one, other], plan)).mean() for plan in plans])
    assert agreement.mean() == pytest.approx(0.5, abs=4 * sqrt(0.25 / 128 / 100))
    assert agreement.var(ddof=1) == pytest.approx(0.25 / 128, rel=0.6)


@pytest.mark.parametrize("template", ["w{}", "{}", "item_{:08d}", "averyveryverylongprefix{}", "{:04d}averylongsuffix"])
def test_serial_words_spread_evenly_over_bins(template):
    plan = sketch_plan("oph", values=256, shingle=1)
    counts = np.zeros(256)
    words = [template.format(i) for i in range(4000)]
    for row in sketch(words, plan):  # one word, one value: its high bits name its bin
        counts[int(row[0] >> np.uint64(32)) * 256 >> 32] += 1
    expected = len(words) / 256
    assert abs(((counts - expected) ** 2 / expected).sum() - 255) < 4 * sqrt(2 * 255)
