"""Changes inputs at random, and the same way for the same number: no state, no clock, nothing but ``random``."""

import random
from collections.abc import Callable, Sequence

MAX_BYTES = 16 * 1024
"""How long a changed input may be."""

_ANYWHERE = (
    b"",
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xf4\x90\x80\x80",
    b"\xff\xfe",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0\0\0\0\0",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x1f\x8b",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
)

TOKENS: dict[str, tuple[bytes, ...]] = {
    "jsonl": (
        *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"null", b"true", b"false", b"NaN", b"-Infinity", b"[" * 70),
        *(b'"text":', b"\\ud800", b"\\ud83d\\ude00", b"\\u0000", b"1e999", b"-0", b"9007199254740993", b"0.1", b"{}"),
        *(b"9223372036854775808", b"18446744073709551615", b'{"text": "a"}\n', b'{"text": 1}', b'"2020-01-01"', b"\t "),
        *(b'{"a":{"b":[null,{"c":[]}]}}\n', b"[null]", b'"":', b'{"__rule": 1}'),
    ),
    "csv": (
        *(b'"', b'""', b",", b";", b"\t", b"|", b"\n\n", b'"\n', b'",', b',"', b"text", b"'", b" ", b'"a""b"', b"\x0b"),
        *(b"\x85", b"\xe2\x80\xa8", b"\x1c", b"text,text\n", b"__address", b"\xfe\xff\0t", b"\xff\xfe\0\0", b"\xd8\0"),
    ),
    "warc": (
        *(b"WARC/1.0\r\n", b"WARC/1.1\r\n", b"\r\n\r\n", b"WARC-Type: response\r\n", b"WARC-Type: conversion\r\n"),
        *(
            b"WARC-Type: resource\r\n",
            b"Content-Length: 0\r\n",
            b"Content-Length: 99999999999\r\n",
            b"HTTP/1.1 200 OK\r\n",
        ),
        *(
            b"Content-Type: text/html; charset=",
            b"utf-16",
            b"latin-1",
            b"gb2312",
            b"hz",
            b"iso2022_jp",
            b"cp037",
            b"rot13",
        ),
        *(b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"Content-Encoding: br\r\n", b"0\r\n\r\n"),
        *(
            b"Content-Encoding: deflate\r\n",
            b"Content-Encoding: zstd\r\n",
            b"ffffffff\r\n",
            b"WARC-Segment-Number: 1\r\n",
        ),
        *(b"hex", b"base64", b"zip", b"application/http", b"utf-8-sig", b"mbcs", b"oem", b"utf-32", b": ", b"\r\n "),
    ),
    "arrow": (b"ARROW1", b"\xff\xff\xff\xff\0\0\0\0", b"\1\0\0\0", b"\x7f", b"\x80", b"\x10\0\0\0", b"\4\0\4\0"),
    "parquet": (
        b"PAR1",
        b"PARE",
        b"\x15\0",
        b"\x15\2",
        b"\x15\x80\x80\x80\x80\x10",
        b"\x19\x1c",
        b"\x2c",
        b"\x7f",
        b"\x80",
    ),
    "text": (
        *(b" ", "é".encode(), "e\u0301".encode(), "ß".encode(), "İ".encode(), "ﬁ".encode(), "한".encode()),
        *("\u1100\u1161\u11a8".encode(), "\U0001f469\u200d\U0001f467".encode(), "\u200f".encode(), "\u3000".encode()),
        *(
            "漢字".encode(),
            b"don't",
            b"a" * 70,
            b"\xf0\x9f",
            b"\x80",
            b"the the ",
            "\u0344".encode(),
            "\U0001d15e".encode(),
        ),
    ),
    "config": (
        *(
            b"inputs: [{path: a}]\n",
            b"stages: [exact]\n",
            b"- near: {",
            b"threshold: ",
            b"*a",
            b"&a ",
            b"<<: ",
            b"!!python/",
        ),
        *(
            b"!!binary ",
            b"!!set ",
            b"? ",
            b"2020-99-99",
            b"0x",
            b"1_0:59:59",
            b"99999999999999999999GB",
            b"9" * 320 + b"GB",
        ),
        *(
            b"${env:HOME}",
            b"${nothing:x}",
            b".inf",
            b".nan",
            b"~",
            b"[" * 60,
            b"{a: " * 40,
            b"memory: ",
            b"keep: source:",
        ),
        *(
            b"1" * 4400,
            b"!!timestamp ",
            b"!!int ",
            b"!!float ",
            b"\xc2\x85",
            b"---\n",
            b"%YAML 1.1\n",
            b"shards: {target_size: ",
        ),
    ),
    "filter_condition": (
        *(
            b"text",
            b"score",
            b"tags",
            b"meta",
            b"when",
            b" AND ",
            b" OR ",
            b"NOT ",
            b"(",
            b")",
            b"'",
            b'"',
            b"--",
            b"/*",
            b";",
        ),
        *(
            b"::int",
            b"::json",
            b"CAST(",
            b" AS ",
            b"CASE WHEN ",
            b" END",
            b"SELECT ",
            b" FROM records",
            b"$1",
            b"?",
            b"*",
        ),
        *(
            b"random()",
            b"now()",
            b"regexp_matches(text, ",
            b"list_filter(tags, x -> ",
            b"[1]",
            b"{'a': 1}",
            b"1e400",
            b"//",
        ),
        *(
            b"repeat(text, 1000)",
            b"INTERVAL '1' DAY",
            b" IN (",
            b" BETWEEN ",
            b"COLUMNS(*)",
            b"getvariable('x')",
            b"@@",
            b"#1",
        ),
        *(
            b"read_text('/etc/hosts')",
            b"getenv('HOME')",
            b"range(10)",
            b"unnest(tags)",
            b"sum(score)",
            b"GROUP BY 1",
            b"\\",
        ),
    ),
}
"""What inputs of a target are made of, beside bytes that trouble any."""


def mutated(target: str, seeds: Sequence[bytes], seed: int, number: int) -> bytes:
    """Return input ``number`` of a target: a seed with some changes.

    >>> mutated("csv", [b"a,b"], 1, 2) == mutated("csv", [b"a,b"], 1, 2)
    True
    """
    chance = random.Random(f"{seed} {target} {number}")
    data = bytearray(chance.choice(seeds))
    tokens = _ANYWHERE + TOKENS[target] * 2
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 8, 16))):
        _change(chance, data, seeds, tokens)
    return bytes(data[:MAX_BYTES])


def _change(chance: random.Random, data: bytearray, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> None:
    start, end = _span(chance, data)
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: _flip(chance, data[start:end]),
        lambda: bytes(chance.randrange(256) for _ in data[start:end]),
        lambda: b"",
        lambda: bytes(data[start:end]) * chance.choice((2, 2, 3, 20)),
        lambda: chance.choice(tokens),
        lambda: chance.choice(tokens) + bytes(data[start:end]),
        lambda: chance.choice(tokens) + bytes(data[start:end]) + chance.choice(tokens),
        lambda: _part(chance, chance.choice(seeds)),
        lambda: _part(chance, data) + bytes(data[start:end]),
        lambda: _step(chance, data[start:end]),
    )
    data[start:end] = chance.choice(changes)()
    if chance.random() < 0.03:
        del data[chance.randrange(len(data) + 1) :]


def _span(chance: random.Random, data: bytes | bytearray) -> tuple[int, int]:
    """Return a stretch, mostly a short one."""
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((0, 1, 1, 1, 2, 4, 8, 40, 300)))


def _part(chance: random.Random, data: bytes | bytearray) -> bytes:
    start, end = _span(chance, data)
    return bytes(data[start:end])


def _flip(chance: random.Random, part: bytearray) -> bytes:
    for _ in range(min(3, len(part))):
        part[chance.randrange(len(part))] ^= 1 << chance.randrange(8)
    return bytes(part)


def _step(chance: random.Random, part: bytearray) -> bytes:
    """Add a little to a byte: lengths and offsets that are off by some."""
    for i in range(min(1, len(part))):
        part[i] = (part[i] + chance.choice((-8, -1, 1, 2, 127))) % 256
    return bytes(part)
