"""The walk through footers against a reader that makes trees, and over damage."""

from decimal import Decimal
from random import Random

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from thrift_compact import Struct, footer_of, read_struct, write_struct

from tamis.hashing import footer as ft
from tamis.hashing.footer import walk_footer

NESTED = pa.list_(pa.struct([("a", pa.int32()), ("b", pa.map_(pa.string(), pa.float64()))]))


def table():
    return pa.table(
        {
            "i": pa.array([3, None, 1, 2, 5], pa.int64()),
            "u": pa.array([3, 2**63, 1, 2, 5], pa.uint64()),
            "s": pa.array(["b", "a" * 5000, None, "c", "d"]),
            "t": pa.array([1, 2, 3, 4, 5], pa.timestamp("us", "UTC")),
            "h": pa.array([1, 2, 3, 4, 5], pa.time64("ns")),
            "d": pa.array([Decimal("1.5")] * 5, pa.decimal128(30, 2)),
            "n": pa.array([[{"a": 1, "b": [("k", 1.0)]}], None, [], None, None], NESTED),
            "x": pa.array([True, False, None, None, True]),
        }
    )


def expected(data: bytes) -> tuple[list, list, list, list, bytes]:
    """Return what the walk must find, with bytes in place of where they are."""
    tree = read_struct(data)
    elements = []
    for _, one in [(0, element) for element in tree[2][1][1]]:
        logical, signed, unit = -1, -1, -1
        for number, (_, union) in one.get(10, (0, {}))[1].items():
            logical = number
            if number == 10:
                signed = int(union[2][1])
            if number in (7, 8):
                unit = next(iter(union[2][1]))
        said = [one[field][1] if field in one else -1 for field in (1, 2, 3)]
        more = [one[field][1] if field in one else -1 for field in (5, 6)]
        elements.append([*said, one[4][1], *more, logical, signed, unit])
    groups = [[group[3][1], len(group[1][1][1])] for group in tree[4][1][1]]
    chunks = []
    for number, group in enumerate(tree[4][1][1]):
        for chunk in group[1][1][1]:
            meta: Struct = chunk[3][1]
            found: Struct = meta.get(12, (0, {}))[1]
            chunks.append(
                [
                    number,
                    meta[1][1],
                    meta[5][1],
                    found[3][1] if 3 in found else -1,
                    *(found[field][1] if field in found else None for field in (6, 5, 2, 1)),
                    *(int(found[field][1]) if field in found else -1 for field in (8, 7)),
                ]
            )
    orders = [next(iter(order)) for order in tree[7][1][1]]
    return elements, groups, chunks, orders, tree[6][1]


def found_in(data: bytes) -> tuple[list, list, list, list, bytes]:
    end, elements, groups, chunks, orders, maker = walk_footer(np.frombuffer(data, np.uint8))
    assert end == len(data)

    def cut(row, at):
        return data[row[at] : row[at] + row[at + 1]] if row[at] >= 0 else None

    return (
        [[*row[:3], cut(row, ft.NAME_AT), *row[5:]] for row in elements.tolist()],
        groups.tolist(),
        [
            [*row[:4], *(cut(row, at) for at in (ft.LOW_AT, ft.HIGH_AT, ft.OLD_LOW_AT, ft.OLD_HIGH_AT)), *row[12:]]
            for row in chunks.tolist()
        ],
        orders.tolist(),
        cut(maker.tolist(), 0),
    )


@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_what_arrow_writes(tmp_path, version):
    path = tmp_path / "a.parquet"
    columns = table().drop_columns("h") if version == "1.0" else table()
    pq.write_table(columns, path, row_group_size=2, version=version)
    data = footer_of(path)
    assert found_in(data) == expected(data)
    assert [rows for rows, _ in found_in(data)[1]] == [2, 2, 1]


def test_what_duckdb_writes(tmp_path):
    path = tmp_path / "d.parquet"
    duckdb.sql(f"copy (select i, i::utinyint u, 'x' || i s, [i] l from range(100) t(i)) to '{path}'")
    data = footer_of(path)
    assert found_in(data) == expected(data)


def test_many_columns_and_groups(tmp_path):
    path = tmp_path / "w.parquet"
    pq.write_table(pa.table({f"c{i}": [1, 2, 3] for i in range(40)}), path, row_group_size=1)
    data = footer_of(path)
    assert found_in(data) == expected(data)


def test_the_writer_of_trees_writes_what_it_read(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(table(), path, row_group_size=2)
    assert write_struct(read_struct(footer_of(path))) == footer_of(path)


def test_damage_is_noticed_and_nothing_beyond_the_message_is_read(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(table(), path, row_group_size=2)
    data = footer_of(path)
    for size in range(len(data)):
        assert walk_footer(np.frombuffer(data[:size], np.uint8))[0] == -1
    rng = Random(1)
    for _ in range(3000):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(len(broken))] = rng.choice([0, 0x19, 0x1C, 0x29, 0x7F, 0xFC, 0xFF, rng.randrange(256)])
        end, elements, groups, chunks, orders, maker = walk_footer(np.frombuffer(bytes(broken), np.uint8))
        assert -1 <= end <= len(data)
        assert groups[:, ft.GROUP_COLUMNS].sum() == len(chunks)
        for rows, at in ((elements, ft.NAME_AT), (chunks, ft.LOW_AT), (chunks, ft.OLD_HIGH_AT), (maker[None], 0)):
            assert (rows[:, at] + rows[:, at + 1] <= len(data)).all()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x1c" * 40,
        b"\x19\xfc" + b"\xff" * 12,
        b"\x18\xff\xff\xff\xff\x0f",
        b"\x1b\x00\x00",
        b"\x16" + b"\xff" * 11,
        b"\x0c\x08\x2c\x00\x00",
    ],
)
def test_messages_of_nothing(data):
    assert walk_footer(np.frombuffer(data, np.uint8))[0] == -1
