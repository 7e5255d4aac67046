from concurrent.futures import ThreadPoolExecutor

import hypothesis.strategies as st
import mmh3
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.bands import band_keys
from tamis.hashing.errors import ConfigError
from tamis.hashing.fingerprint import band_seed, fingerprint, kernel_of_fingerprint
from tamis.hashing.lsh import Banding
from tamis.hashing.murmur3 import murmur3_all
from tamis.hashing.sketch import signatures, sketch_plan

from . import oracle

BLOCK_TOKENS = 4096  # some windows
PLANS = {
    "oph": sketch_plan("oph", values=32, shingle=3, seed=7),
    "fss": sketch_plan("fss", values=32, shingle=3, seed=7),
    "minhash": sketch_plan("minhash", values=32, shingle=3, seed=7),
}
BANDING = Banding(4, 7)
TEXTS = [
    "", " \n", "one", "One", "one two", "a b c", "the tamis sifts the flour", "中文没有空格",
    "👍", "a\0b\0c\0d", "e\u0301 é",
    "word " * 500, " ".join(map(str, range(3 * BLOCK_TOKENS))),
]  # fmt: skip
BAD = [
    b"\xff",
    b"fine so far \xc3",
    b"one two three four \xed\xa0\x80 five",
    b"w " * 5000 + b"\xf5",
    "é".encode() + b"\x80 x",
]


@pytest.fixture(params=PLANS)
def plan(request):
    return PLANS[request.param]


def prints(texts, plan, banding=BANDING, seed=7):
    return fingerprint(*oracle.packed(texts), plan, banding=banding, seed=seed)


def expected_keys(texts, plan, seed=7):
    """Return the keys by the separate kernels."""
    keys = np.zeros((len(texts), BANDING.bands), np.uint64)
    for row, signature in zip(keys, signatures(*oracle.packed(texts), plan), strict=True):
        band_keys(signature[: BANDING.values], BANDING.rows, band_seed(seed), row)
    return keys


def test_golden():
    # Changing these is a format change.
    found = prints(["the tamis sifts the flour"], PLANS["oph"])
    assert found.hashes.tolist() == [[0x522754AC4A140BC9, 0xA0294E2DA0D1FF1E]]
    assert found.keys.tolist() == [[0x9629B2FA85685B00, 0xB573EA40B26F01AA, 0xEB27CB20E5B645EC, 0x678B7DBD25632646]]
    found = prints(["the tamis sifts the flour"], PLANS["fss"])
    assert found.keys.tolist() == [[0xCB810F395FDDF859, 0xF7DB5189C53C2B3C, 0x30FF53A62DB69970, 0x6BE09FCA64C250C7]]
    found = prints(["the tamis sifts the flour"], PLANS["minhash"])
    assert found.keys.tolist() == [[0x5D2CA8716F834C33, 0xF6415A502D1080FB, 0xB5E3EC0772220AB2, 0x9738338244C46ECD]]


def test_it_equals_the_separate_kernels(plan):
    found = prints(TEXTS, plan)
    data, offsets = oracle.packed(TEXTS)
    assert found.hashes.tolist() == murmur3_all(data, offsets, np.uint64(0)).tolist()
    assert found.hashes.tolist() == [list(mmh3.hash64(text.encode(), 0, signed=False)) for text in TEXTS]
    assert found.tokens.tolist() == [len(oracle.words(text)) for text in TEXTS]
    assert found.errors.tolist() == [-1] * len(TEXTS)
    some = found.tokens > 0
    assert found.keys[some].tolist() == expected_keys(TEXTS, plan)[some].tolist()


@pytest.mark.parametrize("kind", PLANS)
def test_keys_are_their_definition(kind):
    texts = TEXTS[2:-2]
    seed = oracle.derive_seed(7, "band")
    expected = [
        oracle.band_keys(oracle.signature(text, kind, 32, 3, 7), 4, 7, seed) for text in texts if oracle.words(text)
    ]
    found = prints(texts, PLANS[kind])
    assert found.keys[found.tokens > 0].tolist() == expected


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(st.text("ab é中\n\u0301👍", max_size=30) | st.binary(max_size=8), max_size=6),
    st.sampled_from(sorted(PLANS)),
)
def test_random_texts(texts, kind):
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    found = prints(raw, PLANS[kind])
    for i, text in enumerate(raw):
        assert tuple(found.hashes[i].tolist()) == mmh3.hash64(text, 0, signed=False)
        assert found.errors[i] == oracle.error_offset(text)
        if found.errors[i] < 0:
            assert found.tokens[i] == len(oracle.words(text.decode()))
        if found.errors[i] < 0 and found.tokens[i] > 0:
            assert found.keys[i].tolist() == expected_keys([text], PLANS[kind])[0].tolist()


def test_errors_are_offsets_in_the_text_and_do_not_spread(plan):
    texts = [part for bad in BAD for part in (bad, b"the tamis sifts the flour")]
    found = prints(texts, plan)
    for i, bad in enumerate(BAD):
        assert found.errors[2 * i] == oracle.error_offset(bad) >= 0
    good = prints(["the tamis sifts the flour"], plan)
    assert found.errors[1::2].tolist() == [-1] * len(BAD)
    assert found.tokens[1::2].tolist() == [5] * len(BAD)
    assert found.keys[1::2].tolist() == good.keys.tolist() * len(BAD)
    assert found.hashes[0].tolist() == list(mmh3.hash64(b"\xff", 0, signed=False))


def test_texts_without_tokens(plan):
    found = prints(["", " ", "...", "👍", "\0"], plan)
    assert found.tokens.tolist() == [0] * 5
    assert found.errors.tolist() == [-1] * 5
    assert len({tuple(row) for row in found.hashes.tolist()}) == 5


def test_texts_of_equal_tokens_share_all_keys(plan):
    found = prints(["The TAMIS sifts: the flour!", "the tamis sifts the flour", "the tamis sifts the flours"], plan)
    assert found.keys[0].tolist() == found.keys[1].tolist()
    assert found.keys[1].tolist() != found.keys[2].tolist()
    assert found.hashes[0].tolist() != found.hashes[1].tolist()


def test_without_banding_there_are_no_keys(plan):
    found, banded = prints(TEXTS, plan, banding=None), prints(TEXTS, plan)
    assert found.keys.shape == (len(TEXTS), 0)
    for name in ("hashes", "tokens", "errors"):
        assert getattr(found, name).tolist() == getattr(banded, name).tolist()


@pytest.mark.parametrize("banding", [Banding(5, 7), Banding(33, 1), Banding(1, 33)], ids=str)
@pytest.mark.parametrize("texts", [[], TEXTS], ids=["no texts", "texts"])
def test_bands_cannot_use_more_values_than_a_signature_has(plan, banding, texts):
    with pytest.raises(ConfigError) as caught:
        prints(texts, plan, banding=banding)
    assert caught.value.rule == "bands use the values of a signature"
    assert f"found {banding.bands} x {banding.rows} of 32." in str(caught.value)


@pytest.mark.parametrize("banding", [Banding(4, 8), Banding(32, 1), Banding(1, 32)], ids=str)
def test_bands_may_use_all_values(plan, banding):
    text = "the tamis sifts the flour"
    keys = np.empty(banding.bands, np.uint64)
    band_keys(signatures(*oracle.packed([text]), plan)[0], banding.rows, band_seed(7), keys)
    assert prints([text], plan, banding=banding).keys.tolist() == [keys.tolist()]


def test_shapes_and_types():
    for texts in ([], ["a"], ["a", "b"]):
        found = prints(texts, PLANS["oph"])
        kinds = [(array.dtype.name, array.shape) for array in found]
        n = len(texts)
        assert kinds == [("uint64", (n, 2)), ("int64", (n,)), ("int64", (n,)), ("uint64", (n, 4))]


def test_arrays_that_can_be_written_to_need_no_machine_code_of_their_own(plan):
    data, offsets = (array.copy() for array in oracle.packed(TEXTS))
    found = fingerprint(data, offsets, plan, banding=BANDING, seed=7)
    assert [field.tolist() for field in found] == [field.tolist() for field in prints(TEXTS, plan)]
    assert {(kinds[0].mutable, kinds[1].mutable) for kinds in kernel_of_fingerprint.signatures} == {(False, False)}
    assert (data.flags.writeable, offsets.flags.writeable) == (True, True)


def test_batches_do_not_matter(plan):
    texts = [text.encode() for text in TEXTS] + BAD
    whole = prints(texts, plan)
    parts = [prints(texts[i : i + 3], plan) for i in range(0, len(texts), 3)]
    for name in whole._fields:
        assert getattr(whole, name).tolist() == np.concatenate([getattr(part, name) for part in parts]).tolist()


def test_the_seed_of_the_run_changes_keys_only(plan):
    one, other = prints(TEXTS, plan, seed=7), prints(TEXTS, plan, seed=8)
    some = one.tokens > 0
    assert not set(one.keys[some].reshape(-1).tolist()) & set(other.keys[some].reshape(-1).tolist())
    assert one.hashes.tolist() == other.hashes.tolist()


def test_band_seed():
    assert int(band_seed(7)) == oracle.derive_seed(7, "band")


def test_threads_do_not_matter(plan):
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(prints, TEXTS, plan) for _ in range(8)]
    expected = prints(TEXTS, plan)
    for future in futures:
        for one, other in zip(future.result(), expected, strict=True):
            assert one.tolist() == other.tolist()
