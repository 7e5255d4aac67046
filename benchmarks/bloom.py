"""The flaw of LSHBloom as published, its cure, and what a Bloom index takes: one command, four parts.

    python benchmarks/bloom.py --data DIR --json out/bloom.json --plots docs/images
    python benchmarks/bloom.py --part flags --rows 50000

- ``flags``: documents that are like no other, taken one after another (check-then-insert); how many are flagged when a
  band's key is the *sum* of its values, as published and in datasketch 2.0, and when it is ours. Texts of random words,
  and real ones (newswire, each once; there some are alike, as unigrams, and dictionaries of our keys say how many).
- ``rates``: random keys at several rates, against the exact prediction and its 99.9 % Poisson interval.
- ``sizes``: bits for a rate, against the least that a plain Bloom filter takes.
- ``speed``: asking for and inserting keys in a filter of 1 GiB on one core, against changing random cache lines; and
  datasketch's class, if its Python is named (``--datasketch-python``).
"""

import argparse
import json
import math
import statistics
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from real_texts import newswire

from tamis.hashing.bands import band_keys
from tamis.hashing.bloom import BloomFilter, check_then_insert, empty_words
from tamis.hashing.bloom_rate import FilterPlan, plan_filter
from tamis.hashing.kernel import kernel
from tamis.hashing.sketch import signatures, sketch_plan
from tamis.pipeline.text_column import text_buffers

BANDS, VALUES_PER_BAND, VALUES = 42, 6, 256
"""As published: threshold 0.5 with 256 values."""

RATE = 1e-5
WORDS = 1000
MARKS = (1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)
Keys = NDArray[np.uint64]
Fact = dict[str, Any]


@kernel
def _sums(values: NDArray[np.uint64], bands: int, rows: int) -> Keys:
    """Return the keys as published: the sum of each band's values."""
    keys = np.zeros((len(values), bands), np.uint64)
    for i in range(len(values)):
        for band in range(bands):
            for row in range(rows):
                keys[i, band] += values[i, band * rows + row]
    return keys


@kernel
def _ours(values: NDArray[np.uint64], bands: int, rows: int, seed: np.uint64) -> Keys:
    keys = np.empty((len(values), bands), np.uint64)
    for i in range(len(values)):
        band_keys(values[i], rows, seed, keys[i])
    return keys


def random_texts(count: int, seed: int) -> list[str]:
    """Return texts of random numbers as words: no two share more than a few."""
    generator = np.random.default_rng(seed)
    numbers = generator.integers(0, 1 << 40, (count, WORDS))
    return [" ".join(map(str, row)) for row in numbers.tolist()]


def sign(texts: list[str]) -> NDArray[np.uint64]:
    """Return signatures of 32 bits, of sets of words: uint64, shape (n, VALUES)."""
    plan = sketch_plan("minhash", values=VALUES, bits=32, unit="word", shingle=1)
    data, offsets = text_buffers(pa.array(texts, pa.large_string()))
    return signatures(data, offsets, plan)


def flags_of(keys: Keys, capacity: int) -> NDArray[np.bool_]:
    """Return which rows the pass of the paper flags."""
    plan = plan_filter(bands=keys.shape[1], capacity=capacity, rate=RATE)
    size = plan.blocks * plan.block_bits // 64
    return check_then_insert(
        empty_words(plan.blocks * plan.bands, plan.block_bits),
        np.arange(plan.bands, dtype=np.int64) * size,
        keys,
        np.arange(plan.bands, dtype=np.uint64),
        np.uint64(plan.blocks),
        plan.hashes,
        plan.block_bits.bit_length() - 1,
    )


def exact_flags(keys: Keys) -> int:
    """Return how many rows share a key with an earlier one that was not flagged, by dictionaries."""
    seen: list[set[int]] = [set() for _ in range(keys.shape[1])]
    count = 0
    for row in keys.tolist():
        if any(key in band for key, band in zip(row, seen, strict=True)):
            count += 1
            continue
        for key, band in zip(row, seen, strict=True):
            band.add(key)
    return count


def flags(rows: int, data: Path | None) -> Fact:
    """Measure flags on distinct documents as their number grows."""
    found: Fact = {"words": WORDS, "rate": RATE, "bands": [BANDS, VALUES_PER_BAND]}
    sources: dict[str, Callable[[], list[str]]] = {"random": lambda: random_texts(rows, 1)}
    if data is not None:
        sources["real"] = lambda: list(dict.fromkeys(text for text in newswire(data) if len(text.split()) >= 50))
    for name, make in sources.items():
        texts = make()
        marks = [n for n in MARKS if n < len(texts)] + [len(texts)]
        values = sign(texts)
        published, ours = _sums(values, BANDS, VALUES_PER_BAND), _ours(values, BANDS, VALUES_PER_BAND, np.uint64(7))
        by_sum, by_ours = (np.cumsum(flags_of(keys, len(texts))) for keys in (published, ours))
        plan = plan_filter(bands=BANDS, capacity=len(texts), rate=RATE)
        found[name] = {
            "marks": marks,
            "sum": [int(by_sum[n - 1]) for n in marks],
            "ours": [int(by_ours[n - 1]) for n in marks],
            "ours by dictionaries": exact_flags(ours),
            "ours expected of the filters": [plan.expected_flags(n) for n in marks],
        }
    marks = found["random"]["marks"]
    n = WORDS
    pair = BANDS * math.comb(2 * VALUES_PER_BAND - 2, VALUES_PER_BAND - 1) / 2 ** (2 * VALUES_PER_BAND - 1)
    chance = pair * (n + 1) / 2**32
    found["sum predicted"] = [m - math.log1p(chance * m) / chance for m in marks]
    return found


def rates(rows: int) -> list[Fact]:
    """Count flags of random keys, each row asked for before it is inserted, against the prediction."""
    lines = []
    for rate, count in ((1e-2, rows), (1e-3, rows), (1e-8, 4 * rows)):
        plan = plan_filter(bands=9, capacity=count, rate=rate)
        generator = np.random.default_rng(3)
        hit = np.zeros(count, np.bool_)
        for band in range(plan.bands):
            keys = generator.integers(0, 1 << 64, count, np.uint64)
            hit |= _filter(plan, band).contains_then_insert(keys)
        expected = plan.expected_flags(count)
        low, high = poisson_interval(expected, 0.999)
        lines.append(
            {"rate": rate, "rows": count, "flags": int(hit.sum()), "expected": expected, "low": low, "high": high}
        )
    return lines


def poisson_interval(mean: float, level: float) -> tuple[int, int]:
    """Return the counts between which a Poisson number lies with a probability."""
    tail, total, low, n, chance = (1 - level) / 2, 0.0, None, 0, math.exp(-mean)
    while True:
        total += chance
        if low is None and total > tail:
            low = n
        if total >= 1 - tail:
            return low or 0, n
        n += 1
        chance *= mean / n


def _filter(plan: FilterPlan, salt: int) -> BloomFilter:
    words = empty_words(plan.blocks, plan.block_bits)
    return BloomFilter(words, blocks=plan.blocks, block_bits=plan.block_bits, hashes=plan.hashes, salt=salt)


def sizes() -> list[Fact]:
    """Return bits for a rate over the least of a plain filter, and bytes of a document."""
    lines = []
    for bands in (9, 28, 42):
        for rate, block_bits in ((1e-5, 512), (1e-5, 1024), (1e-8, 1024), (1e-8, 4096), (1e-10, 4096)):
            plan = plan_filter(bands=bands, capacity=10**7, rate=rate, block_bits=block_bits)
            band = -math.expm1(math.log1p(-rate) / bands)
            least = 10**7 * math.log(1 / band) / math.log(2) ** 2
            lines.append(
                {
                    "bands": bands,
                    "rate": rate,
                    "block_bits": block_bits,
                    "hashes": plan.hashes,
                    "over_least": 8 * plan.filter_bytes / least,
                    "bytes_per_row": plan.bands * plan.filter_bytes / 10**7,
                }
            )
    return lines


@kernel
def _touch(words: NDArray[np.uint64], count: int, seed: np.uint64) -> None:
    """Change random cache lines: what memory can do at most."""
    mask = np.uint64(len(words) // 8 - 1)
    x = seed
    for _ in range(count):
        x = x * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        words[np.int64((x >> np.uint64(30)) & mask) * 8] += x


def speed(turns: int, datasketch: str | None) -> Fact:
    """Time a filter of 1 GiB by turns with bare changes of random cache lines."""
    words = empty_words(1 << 20, 8192)
    generator = np.random.default_rng(0)
    keys = generator.integers(0, 1 << 64, 4_000_000, np.uint64)
    lines = []
    _touch(words, 1000, np.uint64(1))
    for block_bits, rate in ((512, 1e-5), (1024, 1e-5), (1024, 1e-8), (4096, 1e-10)):
        hashes = plan_filter(bands=9, capacity=10**6, rate=rate, block_bits=block_bits).hashes
        size = {"blocks": len(words) * 64 // block_bits, "block_bits": block_bits, "hashes": hashes}
        bloom = BloomFilter(words, salt=3, **size)
        bloom.contains_then_insert(keys[:100])
        bloom.contains(keys[:100])
        bare, both, asking = [], [], []
        for turn in range(turns):
            bare.append(20e6 / _seconds(partial(_touch, words, 20_000_000, np.uint64(turn))))
            words[:] = 0
            both.append(len(keys) / _seconds(partial(bloom.contains_then_insert, keys)))
            asking.append(len(keys) / _seconds(partial(bloom.contains, keys)))
        ratio = statistics.median(b / a for a, b in zip(bare, both, strict=True))
        lines.append(
            {
                "block_bits": block_bits,
                "rate": rate,
                "hashes": hashes,
                "lines_per_second": statistics.median(bare),
                "keys_per_second": statistics.median(both),
                "asked_per_second": statistics.median(asking),
                "rows_per_second_9_bands": statistics.median(both) / 9,
                "share_of_bare": ratio,
            }
        )
    found: Fact = {"lines": lines}
    if datasketch:
        ran = subprocess.run([datasketch, "-c", _DATASKETCH], capture_output=True, text=True, check=True)
        found["datasketch"] = json.loads(ran.stdout)
    return found


_DATASKETCH = """
import json, tempfile, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from datasketch import MinHash
from datasketch.lsh_bloom import MinHashLSHBloom
generator = np.random.default_rng(0)
values = generator.integers(0, 1 << 32, (20_000, 128), np.uint64)
rows = [MinHash(num_perm=128, hashvalues=row, scheme="affine32") for row in values]
with tempfile.TemporaryDirectory() as folder:
    lsh = MinHashLSHBloom(threshold=0.8, num_perm=128, n=20_000, fp=1e-9, save_dir=folder)
    start = time.perf_counter()
    for row in rows:
        if not lsh.query(row):
            lsh.insert(row)
    seconds = time.perf_counter() - start
print(json.dumps({"rows": len(rows), "bands": lsh.b, "rows_per_second": len(rows) / seconds}))
"""


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def show(found: Fact) -> None:
    """Print what was measured."""
    if "flags" in found:
        part = found["flags"]
        print(f"flags on distinct documents, {BANDS} bands of {VALUES_PER_BAND}, rate {RATE:g}")
        for name in ("random", "real"):
            if name in part:
                for i, n in enumerate(part[name]["marks"]):
                    told = f"sum key {part[name]['sum'][i]:>7,}, ours {part[name]['ours'][i]:>3}"
                    more = f", sum predicted {part['sum predicted'][i]:,.0f}" if name == "random" else ""
                    print(f"  {name:>6} {n:>8,}: {told}{more}")
                print(f"         ours by dictionaries: {part[name]['ours by dictionaries']}")
    for line in found.get("rates", ()):
        print(
            f"rate {line['rate']:g}: {line['flags']:,} of {line['rows']:,}, expected {line['expected']:.2f},"
            f" interval {line['low']} to {line['high']}"
        )
    for line in found.get("sizes", ()):
        print(
            f"{line['bands']} bands, rate {line['rate']:g}, blocks of {line['block_bits']}: {line['over_least']:.3f}x"
            f" the least, {line['bytes_per_row']:.1f} bytes a row"
        )
    if "speed" in found:
        for line in found["speed"]["lines"]:
            print(
                f"blocks of {line['block_bits']}, rate {line['rate']:g}: {line['keys_per_second'] / 1e6:.1f} M keys/s,"
                f" {line['rows_per_second_9_bands'] / 1e6:.2f} M rows/s at 9 bands,"
                f" {line['share_of_bare']:.1%} of {line['lines_per_second'] / 1e6:.0f} M bare lines/s"
            )
        if "datasketch" in found["speed"]:
            theirs = found["speed"]["datasketch"]
            print(f"datasketch: {theirs['rows_per_second']:,.0f} rows/s at {theirs['bands']} bands")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="append", choices=("flags", "rates", "sizes", "speed"), help="default: all")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--data", type=Path, help="folder of real sets")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--datasketch-python", metavar="PATH", help="Python that has datasketch and pybloomfiltermmap3")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plots", type=Path, help="folder for the drawing")
    args = parser.parse_args()
    parts = args.part or ["flags", "rates", "sizes", "speed"]
    found: Fact = {}
    if "flags" in parts:
        found["flags"] = flags(args.rows, args.data)
    if "rates" in parts:
        found["rates"] = rates(args.rows)
    if "sizes" in parts:
        found["sizes"] = sizes()
    if "speed" in parts:
        found["speed"] = speed(args.turns, args.datasketch_python)
    show(found)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    if args.plots and "flags" in found:
        draw(found["flags"], args.plots)


def draw(part: Fact, folder: Path) -> None:
    """Draw flags over documents."""
    from accuracy_plots import GREY, LOOK, saved
    from matplotlib import pyplot as plt

    with plt.rc_context(LOOK):
        figure, axes = plt.subplots(figsize=(6.4, 4.0))
        marks = part["random"]["marks"]
        axes.plot(marks, part["sum predicted"], color=GREY, linestyle="--", label="sum key, predicted (random texts)")
        for name, marker in (("random", "o"), ("real", "s")):
            if name in part:
                along = part[name]["marks"]
                axes.plot(along, part[name]["sum"], color="#D55E00", marker=marker, label=f"sum key, {name} texts")
                axes.plot(along, part[name]["ours"], color="#0072B2", marker=marker, label=f"ours, {name} texts")
        expected = part["random"]["ours expected of the filters"]
        axes.plot(marks, expected, color=GREY, linestyle=":", label="ours, expected of the filters")
        axes.set(xscale="log", yscale="symlog", xlabel="documents, none like another", ylabel="flagged as duplicates")
        axes.set_ylim(bottom=0)
        axes.legend(fontsize=8.5)
        saved(figure, folder / "bloom-flags.svg")


if __name__ == "__main__":
    main()
