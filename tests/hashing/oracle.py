"""The definitions of the kernels in plain Python integers, and texts packed as the product packs them.

Nothing here calls a kernel. The one thing shared with the product is the character table, which has its own test.
"""

from functools import cache

import numpy as np

from tamis.hashing.unicode_table import FOLDED, LONE, SEPARATOR, words_v1

M64 = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15
EMPTY = M64


def read_only(values, dtype):
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def packed(texts):
    """Return (data, offsets), read-only like the buffers of an Arrow column, at odd places of the data."""
    texts = [text.encode() if isinstance(text, str) else text for text in texts]
    offsets = 3 + np.cumsum([0, *map(len, texts)])
    return np.frombuffer(b"\xff\xfea" + b"".join(texts) + b"b\xff", np.uint8), read_only(offsets, np.int64)


# --- mix


def fmix64(x):
    x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD & M64
    x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53 & M64
    return x ^ x >> 33


def scale(x, n):
    return (x >> 32) * n >> 32


def derive_seed(seed, purpose):
    state = fmix64((seed + GAMMA) & M64)
    for byte in purpose.encode():
        state = fmix64((state + GAMMA + byte) & M64)
    return fmix64(state ^ len(purpose.encode()))


# --- tokens


@cache
def character_class(character):
    table = words_v1()
    code = ord(character)
    return int(table.blocks[int(table.pages[code >> 8]) * 256 + code % 256]) & 3


def words(text):
    """Return the folded UTF-8 bytes of the tokens of a text."""
    found, run = [], b""
    for character in text:
        kind = character_class(character)
        if kind in (SEPARATOR, LONE):
            if run:
                found.append(run)
            run = b""
            if kind == LONE:
                found.append(character.encode())
        else:
            run += (character.casefold() if kind == FOLDED else character).encode()
    return [*found, run] if run else found


def error_offset(data):
    """Return the offset of the first byte that is not UTF-8, or -1."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return -1


def token_hash(word):
    h = int.from_bytes(b"tamis_v1", "big")
    for at in range(0, len(word), 8):
        if at > 0:
            h = h * 0x3C79AC492BA7B653 & M64
            h ^= h >> 29
        h = (h ^ int.from_bytes(word[at : at + 8], "little")) * 0x9FB21C651E98DF25 & M64
        h ^= h >> 32
    h = (h ^ len(word)) * 0x3C79AC492BA7B653 & M64
    return h ^ h >> 29


def tokens(text):
    return [token_hash(word) for word in words(text)]


def characters(text):
    """Return the hashes of the characters of the words, with a space where there is something between two words."""
    found, gap = [], False
    for character in text:
        kind = character_class(character)
        if kind == SEPARATOR:
            gap = bool(found)
            continue
        if gap:
            found.append(" ")
        gap = False
        found += character.casefold() if kind == FOLDED else character
    return [token_hash(character.encode()) for character in found]


def units(text, unit):
    if unit == "byte":
        return [token_hash(bytes([byte])) for byte in text.encode()]
    return tokens(text) if unit == "word" else characters(text)


# --- shingles


_POWERS = [pow(0xD6E8FEB86659FD93, i, 1 << 64) for i in range(64)]


def shingle_hash(run):
    m = len(run)
    total = sum(token * _POWERS[m - i] for i, token in enumerate(run, 1))
    return fmix64((total + m * GAMMA) & M64)


def shingles(token_hashes, n):
    if len(token_hashes) < n:
        return [shingle_hash(token_hashes)] if token_hashes else []
    return [shingle_hash(token_hashes[i : i + n]) for i in range(len(token_hashes) - n + 1)]


def shingle_set(text, n, unit="word"):
    return sorted(set(shingles(units(text, unit), n)))


# --- sketches


def oph_bins(shingle_hashes, k, seed):
    bins = [EMPTY] * k
    for shingle in shingle_hashes:
        value = min(fmix64(shingle ^ seed), EMPTY - 1)
        bins[scale(value, k)] = min(bins[scale(value, k)], value)
    return bins


def donor(seed, bin_, attempt, k):
    return scale(fmix64(((bin_ << 32 | attempt) * GAMMA & M64) ^ seed), k)


def densify(bins, seed):
    """Fill the empty bins; every donor is read from ``bins`` as they came."""
    filled = []
    for i, value in enumerate(bins):
        attempt = 0
        while value == EMPTY:
            value = bins[donor(seed, i, attempt, len(bins))]
            attempt += 1
        filled.append(value)
    return filled


def oph_signature(shingle_hashes, k, seed):
    return densify(oph_bins(shingle_hashes, k, derive_seed(seed, "oph")), derive_seed(seed, "donor"))


def fss_signature(shingle_hashes, k, seed):
    bins, seed = [EMPTY] * k, derive_seed(seed, "fss")
    for number in range(2 * k):
        own = fmix64((seed + number * GAMMA) & M64)
        for shingle in shingle_hashes:
            h = fmix64(shingle ^ own)
            bin_ = scale(h, k) if number < k else number - k
            bins[bin_] = min(bins[bin_], number << 51 | h & ((1 << 51) - 1))
        if EMPTY not in bins:
            return bins
    raise AssertionError("the last k rounds fill every bin")


def fmix32(x):
    x = (x ^ x >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    x = (x ^ x >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return x ^ x >> 16


def minhash_functions(seed, k, bits):
    """Draw (multipliers, addends) as datasketch 2.0 does."""
    generator = np.random.RandomState(seed if seed < 1 << 32 else [seed & 0xFFFFFFFF, seed >> 32])
    kind = {32: np.uint32, 64: np.uint64}[bits]
    multipliers = [2 * int(a) + 1 for a in generator.randint(0, 1 << (bits - 1), k, dtype=kind)]
    return multipliers, generator.randint(0, 1 << bits, k, dtype=kind).tolist()


def minhash_signature(shingle_hashes, k, seed, bits=64):
    mix = fmix64 if bits == 64 else lambda shingle: fmix32(shingle & 0xFFFFFFFF)
    hashes, top = [mix(shingle) for shingle in shingle_hashes], (1 << bits) - 1
    return [min((a * h + b) & top for h in hashes) for a, b in zip(*minhash_functions(seed, k, bits), strict=True)]


def signature(text, kind, k, n, seed, *, bits=64, unit="word"):
    found = shingle_set(text, n, unit)
    if not words(text):
        return [EMPTY] * k
    if kind == "minhash":
        return minhash_signature(found, k, seed, bits)
    return [value & ((1 << bits) - 1) for value in (oph_signature if kind == "oph" else fss_signature)(found, k, seed)]


# --- bands


def band_keys(signature, bands, rows, seed):
    keys = []
    for band in range(bands):
        h = fmix64(seed ^ ((band + 1) * GAMMA & M64))
        for value in signature[band * rows : (band + 1) * rows]:
            h = (h ^ value) * 0x9FB21C651E98DF25 & M64
            h ^= h >> 32
        keys.append(fmix64(h))
    return keys
