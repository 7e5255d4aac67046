"""Build ``words_v1.npz`` from the Unicode 15.0.0 data files.

    python hashing/tables/build.py /usr/share/unicode

The folder must hold UnicodeData.txt, Scripts.txt, ScriptExtensions.txt and CaseFolding.txt of
version 15.0.0 (Debian's ``unicode-data`` 15.0 has them). The tables are shipped because Python
versions disagree about thousands of code points, and a signature must not depend on the interpreter.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

VERSION = "15.0.0"
CODE_POINTS = 0x110000
SEPARATOR, WORD, FOLDED, LONE = 0, 1, 2, 3
# Scripts written without spaces between words: every character is a token of its own.
LONE_SCRIPTS = {"Han", "Hiragana", "Katakana", "Bopomofo", "Thai", "Lao", "Khmer", "Myanmar"}
LONE_SHORT_NAMES = {"Hani", "Hira", "Kana", "Bopo", "Thai", "Laoo", "Khmr", "Mymr"}


def _records(path: Path) -> Iterator[tuple[range, str]]:
    """Yield (code points, value) of a ``range ; value`` file of the database."""
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("#")[0].split(";")
        if len(fields) >= 2:
            first, _, last = fields[0].strip().partition("..")
            yield range(int(first, 16), int(last or first, 16) + 1), fields[1].strip()


def _categories(path: Path) -> list[str]:
    """General category of every code point; unlisted ones are ``Cn``."""
    categories = ["Cn"] * CODE_POINTS
    first = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split(";")
        code = int(fields[0], 16)
        if fields[1].endswith("First>"):
            first = code
        elif fields[1].endswith("Last>"):
            categories[first : code + 1] = [fields[2]] * (code + 1 - first)
        else:
            categories[code] = fields[2]
    return categories


def _lone(folder: Path) -> set[int]:
    """Code points of the scripts without spaces, by script or by script extension alone."""
    lone = {code for codes, script in _records(folder / "Scripts.txt") if script in LONE_SCRIPTS for code in codes}
    for codes, scripts in _records(folder / "ScriptExtensions.txt"):
        if set(scripts.split()) <= LONE_SHORT_NAMES:
            lone.update(codes)
    return lone


def _foldings(path: Path) -> dict[int, bytes]:
    """Full case folding (statuses C and F) of every code point that has one, as UTF-8."""
    foldings = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = [field.strip() for field in line.split("#")[0].split(";")]
        if len(fields) >= 3 and fields[1] in ("C", "F"):
            foldings[int(fields[0], 16)] = "".join(chr(int(code, 16)) for code in fields[2].split()).encode()
    return foldings


def build(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays of the table file; see ``hashing/unicode_table.py`` for their meaning."""
    for name in ("Scripts", "CaseFolding", "ScriptExtensions"):
        head = (folder / f"{name}.txt").read_text(encoding="utf-8")[:80]
        if not re.search(rf"{name}-{re.escape(VERSION)}\.txt", head):
            raise SystemExit(f"{name}.txt must be of Unicode {VERSION}; its first line says {head.splitlines()[0]!r}")
    categories, lone = _categories(folder / "UnicodeData.txt"), _lone(folder)
    foldings = _foldings(folder / "CaseFolding.txt")
    values = np.zeros(CODE_POINTS, np.uint16)
    fold_bytes, fold_size = [0], [0]
    for code in range(CODE_POINTS):
        if categories[code][0] not in "LMN" and code != ord("_"):
            continue
        if code in lone:
            values[code] = LONE
        elif code in foldings:
            values[code] = FOLDED | len(fold_bytes) << 2
            fold_bytes.append(int.from_bytes(foldings[code], "little"))
            fold_size.append(len(foldings[code]))
        else:
            values[code] = WORD
    if max(fold_size) > 8 or len(fold_bytes) >= 1 << 14:
        raise SystemExit("the table layout holds foldings of at most 8 bytes and 16383 of them")
    blocks, index = np.unique(values.reshape(-1, 256), axis=0, return_inverse=True)
    return {
        "pages": index.reshape(-1).astype(np.uint16),
        "blocks": blocks.reshape(-1),
        "fold_bytes": np.array(fold_bytes, np.uint64),
        "fold_size": np.array(fold_size, np.uint8),
    }


if __name__ == "__main__":
    target = Path(__file__).with_name("words_v1.npz")
    arrays: dict[str, Any] = build(Path(sys.argv[1]))
    np.savez_compressed(target, **arrays)
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")
