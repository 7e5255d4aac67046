import hashlib
import pickle
from math import sqrt

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.hashing.oph import TABLED_ATTEMPTS
from tamis.hashing.shingles import UNITS, shingle_sets
from tamis.hashing.sketch import (
    KINDS,
    MINHASH,
    OPH,
    SKETCH_VERSION,
    signatures,
    sketch_plan,
    sketch_shingles,
)

from . import oracle

BLOCK_TOKENS = 4096  # some windows

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


# The signatures of version 2, 256 values, word 5-grams, seed 0: first four values and a digest of all.
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
    "fss": {
        "empty": ("ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff", "6f92aaecbb574bf3"),
        "one word": ("08070bd23a82cbf4 07d830d6dad8fe61 0811fc3f742afa5e 03486b1d33cc11e1", "c03bd05ef26f5a09"),
        "a sentence": ("0059a797466a8cc9 0037736d3219ea11 00fa3c508d596463 0027f290214a6739", "78e2e5650e135371"),
        "capitals": ("0059a797466a8cc9 0037736d3219ea11 00fa3c508d596463 0027f290214a6739", "78e2e5650e135371"),
        "emoji": ("0805ea4673898389 00bc6b596adaeecb 0535824d7e264875 02c48e492fd93c5d", "2f291269442f0d6b"),
        "nfc": ("0118720038e7a772 0479bad34df2e377 02c697b208713643 02101c804d8fe4f1", "6bd4df4b6de70418"),
        "nfd": ("0697424d27aefb5d 071a9fd02c63b913 01441c5e2d775609 0620ba125c599671", "428bacd255100103"),
        "nul": ("06f10136da288d37 0334a92f3e58dd52 02b9a0c7bbeff936 0005e4ed5340ee6d", "d5f93a050816ad87"),
        "chinese": ("01dc3ec65d9d95ea 001b996f1189653c 01add67205b5819f 02f29ca0e1ed93da", "f06b2427fe2ca8d5"),
        "thai": ("0000d8c0600ba237 00636112c28f28bc 0039f7c4f8e57aff 01fa182bcc2bdac0", "ba02b5fdd5d22624"),
        "foldings": ("02fe0e1de7c21c4b 02d6eb879ab1f67b 04420a32ada462dd 045375917d36cb35", "ec6c900eb440e0b1"),
        "1 MB": ("000015edca041a7c 0000019d54cef6ac 0000086db0227596 0000076ed477019c", "57221a3690eac084"),
    },
    "minhash": {
        "empty": ("ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff", "6f92aaecbb574bf3"),
        "one word": ("96a2c9abf649f402 88501522f197c5b3 b64b32c2e56d5842 e1c3f5d5517dd868", "0499a251251117d7"),
        "a sentence": ("15cee9df2d4c6748 1b95385f0cba1b89 0454189dc6f5fde6 15b353d912fcbd72", "ba87a4fc0f34d0cf"),
        "capitals": ("15cee9df2d4c6748 1b95385f0cba1b89 0454189dc6f5fde6 15b353d912fcbd72", "ba87a4fc0f34d0cf"),
        "emoji": ("0724b8be44ecb302 863bc42610eee6b3 dcd858c40d18af42 3c2b3032f97d0768", "973ec43b190c146b"),
        "nfc": ("3a759d27328d0ca9 6149198322d093ec bb1881aa8dc367c1 4b8629916af437ff", "7aeb8aefbe917c1c"),
        "nfd": ("15a5b4770e999bdf 89c6eeb67336bf76 002fda92587e12e7 a411174c70ebbf95", "29a3ddc5e4f84fc7"),
        "nul": ("b70b96376bcc4bd6 73d032528d40919c 35a5138b864ce491 1bdbf7410adac14f", "6c6ea2ae282cb38c"),
        "chinese": ("0d31c6c72266028d 109559e4d6a712c1 2eaae748b138eddc 13a6251110a37f92", "52354909bf345f70"),
        "thai": ("1091eb1a20af4676 08b72e84b3c01def 0c51ee02cb7eadd6 2323ee85f525a2ec", "900b8f4528598c51"),
        "foldings": ("829674d13b1318d8 4c3ec86471763114 83f31035393f8208 28fbe0d077bff283", "1b5cc23852b90a1e"),
        "1 MB": ("00010bcbfccde3dc 00002beb282aaf7d 0000b21daf5c5c27 0000583c708bb5e0", "d3cd3ca22d64e026"),
    },
}


def sketch(texts, plan):
    return signatures(*oracle.packed(texts), plan)


@pytest.mark.parametrize("kind", KINDS)
def test_golden(kind):
    assert SKETCH_VERSION == 2
    assert len(GOLDEN_TEXTS["1 MB"]) == 1_000_000
    found = sketch(GOLDEN_TEXTS.values(), sketch_plan(kind))
    shown = {name: (first_values(row), digest(row)) for name, row in zip(GOLDEN_TEXTS, found, strict=True)}
    assert shown == GOLDEN[kind]


# --- plans


def test_the_default_plan():
    plan = sketch_plan()
    assert (plan.kind, plan.values, plan.shingle) == (OPH, 256, 5)
    assert int(plan.seed) == oracle.derive_seed(0, "oph")
    assert int(plan.donors.seed) == oracle.derive_seed(0, "donor")
    assert plan.donors.attempts.shape == (TABLED_ATTEMPTS, 256)
    assert plan.functions.shape == (2, 0)
    assert plan.identity == ("oph", 256, 64, "word", 5, oracle.derive_seed(0, "oph"), 2)


def test_a_minhash_plan():
    plan = sketch_plan("minhash", values=10, shingle=2, seed=3)
    assert (plan.kind, plan.values, plan.shingle) == (MINHASH, 10, 2)
    assert int(plan.seed) == 3
    assert plan.functions.tolist() == [*map(list, oracle.minhash_functions(3, 10, 64))]


@pytest.mark.parametrize(
    ("options", "rule", "value", "remedy"),
    [
        ({"kind": "simhash"}, "a sketch is one of oph, fss, minhash", "'simhash'", "Change `sketch`."),
        ({"kind": "OPH"}, "a sketch is one of oph, fss, minhash", "'OPH'", "Change `sketch`."),
        ({"bits": 16}, "a sketch value has 32 or 64 bits", 16, "Change `bits`."),
        ({"seed": -1}, "a seed is 0 to 2^64 - 1", -1, "Change `seed`."),
        ({"kind": "minhash", "seed": 1 << 64}, "a seed is 0 to 2^64 - 1", 1 << 64, "Change `seed`."),
        ({"unit": "line"}, "a shingle is made of word, char, byte", "'line'", "Change `shingle.unit`."),
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
    st.sampled_from([0, 1, 2, 1 << 40]),
    st.sampled_from([32, 64]),
    st.sampled_from(UNITS),
)
def test_signatures_are_their_definition(texts, kind, values, shingle, seed, bits, unit):
    found = sketch(texts, sketch_plan(kind, values=values, bits=bits, unit=unit, shingle=shingle, seed=seed))
    expected = [oracle.signature(text, kind, values, shingle, seed, bits=bits, unit=unit) for text in texts]
    assert found.tolist() == expected


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
    values, bounds = shingle_sets(*oracle.packed(texts), plan.unit, n, plan.table)
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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["again " * 40_000, "again and " * 9_000 + "once", " ".join(map(str, range(30_000)))])
def test_texts_of_more_shingles_than_are_held_for_later_rounds(kind, text):
    # 64 times 8 shingles are held: repeated ones are taken out, and where all bins are filled none is needed.
    plan = sketch_plan(kind, values=8)
    assert sketch([text, "a b c d e f"], plan).tolist() == [
        oracle.signature(text, kind, 8, 5, 0),
        oracle.signature("a b c d e f", kind, 8, 5, 0),
    ]


def test_fss_holds_more_shingles_where_it_must():
    # One bin of 64 is empty after the first round, whatever the number of shingles: later rounds need them all.
    plan = sketch_plan("fss", values=64, shingle=1)
    seed, own = int(plan.seed), oracle.fmix64(int(plan.seed))
    words = [f"w{i}" for i in range(9000)]
    shingles = [oracle.shingle_hash([oracle.token_hash(word.encode())]) for word in words]
    kept = [w for w, s in zip(words, shingles, strict=True) if oracle.scale(oracle.fmix64(s ^ own), 64) != 13]
    assert len(kept) > 2 * 64 * 64
    assert seed == oracle.derive_seed(0, "fss")
    (row,) = sketch([" ".join(kept)], plan).tolist()
    assert row == oracle.signature(" ".join(kept), "fss", 64, 1, 0)
    assert row[13] >> 51 > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("values", [8, 256, 257])
def test_texts_that_are_not_utf8_have_no_signature(kind, values):
    texts = [b"a b c \xff d", b"word " * 1000 + b"\xc3", b"\xff", b"fine"]
    found = sketch(texts, sketch_plan(kind, values=values, shingle=2))
    assert [set(row) == {oracle.EMPTY} for row in found.tolist()] == [True, True, True, False]


# --- quality


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_over_texts_are_unbiased(kind):
    # Single-word shingles with serial names: the worst input a corpus has to offer the hash functions.
    plans = [sketch_plan(kind, values=128, shingle=1, seed=seed) for seed in range(100)]
    one = " ".join(f"id{i}" for i in range(0, 300))
    other = " ".join(f"id{i}" for i in range(100, 400))
    agreement = np.array([np.equal(*sketch([one, other], plan)).mean() for plan in plans])
    assert agreement.mean() == pytest.approx(0.5, abs=4 * sqrt(0.25 / 128 / 100))
    expected = 0.25 / 128 * {"oph": 0.75, "fss": 0.74, "minhash": 1}[kind]  # a union of 400
    assert agreement.var(ddof=1) == pytest.approx(expected, rel=4 * sqrt(2 / 100))


@pytest.mark.parametrize("template", ["w{}", "{}", "item_{:08d}", "averyveryverylongprefix{}", "{:04d}averylongsuffix"])
def test_serial_words_spread_evenly_over_bins(template):
    plan = sketch_plan("oph", values=256, shingle=1)
    counts = np.zeros(256)
    words = [template.format(i) for i in range(4000)]
    for row in sketch(words, plan):  # one word, one value: its high bits name its bin
        counts[int(row[0] >> np.uint64(32)) * 256 >> 32] += 1
    expected = len(words) / 256
    assert abs(((counts - expected) ** 2 / expected).sum() - 255) < 4 * sqrt(2 * 255)
