"""What footers say, from files that Arrow, DuckDB and this test have written."""

import datetime as dt
import struct
from decimal import Decimal
from random import Random

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from thrift_compact import rewrite_footer, statistics_in

from tamis.connectors.parquet_bounds import Stored, reading_of
from tamis.connectors.parquet_statistics import ColumnStatistics, table_statistics
from tamis.connectors.parquet_writers import writer_of
from tamis.hashing.errors import InputError

NAN = float("nan")
INSTANT = dt.datetime(1969, 12, 31, 23, 59, 59, 999_000)


def written(tmp_path, values, kind, **options):
    """Write one column ``x`` and return the path."""
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": pa.array(values, kind)}), path, **options)
    return path


def said(path) -> ColumnStatistics:
    return table_statistics([str(path)], ["x"]).columns["x"]


def bounds(path):
    found = said(path)
    return found.low, found.low_exact, found.high, found.high_exact


@pytest.mark.parametrize(
    ("values", "kind", "low", "high"),
    [
        ([3, None, -1], pa.int8(), -1, 3),
        ([3, 200], pa.uint8(), 3, 200),
        ([3, 2**31 + 5], pa.uint32(), 3, 2**31 + 5),
        ([3, 2**63 + 5, 2**64 - 1], pa.uint64(), 3, 2**64 - 1),
        ([2**53 + 1, -(2**63)], pa.int64(), -(2**63), 2**53 + 1),
        ([1.5, None, -2.0], pa.float64(), -2.0, 1.5),
        ([0.1, 0.2], pa.float32(), float(np.float32(0.1)), float(np.float32(0.2))),
        ([1.5, -2.0], pa.float16(), -2.0, 1.5),
        ([NAN, 1.0, 2.0, NAN], pa.float64(), 1.0, 2.0),
        ([float("inf"), float("-inf")], pa.float64(), float("-inf"), float("inf")),
        ([False, True], pa.bool_(), False, True),
        ([True, None], pa.bool_(), True, True),
        ([Decimal("1.50"), Decimal("-2.25")], pa.decimal128(5, 2), Decimal("-2.25"), Decimal("1.50")),
        ([Decimal(10) ** 30, -(Decimal(10) ** 30)], pa.decimal128(38, 2), -(Decimal(10) ** 30), Decimal(10) ** 30),
        ([Decimal("1.5"), Decimal("-0.5")], pa.decimal256(60, 1), Decimal("-0.5"), Decimal("1.5")),
        (["b", "a", "é"], pa.string(), b"a", "é".encode()),
        (["", "a"], pa.large_string(), b"", b"a"),
        (["b", "a"], pa.string_view(), b"a", b"b"),
        ([b"\xff", b"\x00\x01"], pa.binary(), b"\x00\x01", b"\xff"),
        ([b"ab", b"\xffb"], pa.binary(2), b"ab", b"\xffb"),
        (["b", "a"], pa.dictionary(pa.int32(), pa.string()), b"a", b"b"),
        ([dt.date(1969, 12, 31), dt.date(1970, 1, 3)], pa.date32(), -1, 2),
        ([dt.date(1969, 12, 31), dt.date(1970, 1, 3)], pa.date64(), -1, 2),
        ([dt.time(0, 0, 1), dt.time(0, 0, 2)], pa.time32("s"), 1000, 2000),
        ([dt.time(0, 0, 1), dt.time(0, 0, 2)], pa.time64("us"), 10**6, 2 * 10**6),
        ([INSTANT, dt.datetime(1970, 1, 1)], pa.timestamp("ms"), -1, 0),
        ([INSTANT, dt.datetime(1970, 1, 1)], pa.timestamp("us", "Europe/Berlin"), -1000, 0),
        ([-1, 5], pa.timestamp("ns"), -1, 5),
        ([-1, 5], pa.timestamp("s", "UTC"), -1000, 5000),
        ([dt.timedelta(seconds=-1), dt.timedelta(seconds=2)], pa.duration("us"), -(10**6), 2 * 10**6),
    ],
)
def test_bounds_of_every_type(tmp_path, values, kind, low, high):
    for options in ({}, {"use_dictionary": False}, {"version": "2.4"}, {"store_schema": False}):
        if options == {"version": "2.4"} and getattr(kind, "unit", "") == "ns":
            continue  # that version has no nanoseconds
        path = written(tmp_path, values, kind, **options)
        if options == {"store_schema": False} and pa.types.is_duration(kind):
            assert bounds(path) == (low, True, high, True)  # it is read as a number, and is one
            assert said(path).kind == pa.int64()
            continue
        assert bounds(path) == (low, True, high, True)
        assert said(path).nulls == values.count(None)
        assert table_statistics([str(path)], ["x"]).rows == len(values)


def test_the_type_is_that_which_a_reader_gives(tmp_path):
    berlin = written(tmp_path, [1], pa.timestamp("ns", "Europe/Berlin"))
    assert said(berlin).kind == pa.timestamp("ns", "Europe/Berlin")
    assert said(written(tmp_path, [1], pa.duration("ms"))).kind == pa.duration("ms")
    assert said(written(tmp_path, ["a"], pa.dictionary(pa.int8(), pa.string()))).kind == pa.string()


def test_zeros_of_either_sign_are_one_value(tmp_path):
    low, low_exact, high, high_exact = bounds(written(tmp_path, [-0.0, 0.0], pa.float64()))
    assert (low, low_exact, high, high_exact) == (0.0, True, 0.0, True)


def test_only_nulls_or_nothing(tmp_path):
    assert said(written(tmp_path, [None, None], pa.int64())) == ColumnStatistics(
        pa.int64(), None, None, False, False, 2
    )
    assert said(written(tmp_path, [], pa.int64())) == ColumnStatistics(pa.int64(), None, None, False, False, 0)
    assert said(written(tmp_path, [None], pa.null())) == ColumnStatistics(pa.null(), None, None, False, False, 1)
    assert table_statistics([str(written(tmp_path, [], pa.int64()))], ["x"]).rows == 0


def test_row_groups_and_groups_of_nulls(tmp_path):
    path = written(tmp_path, [5, 6, None, None, 1, None, 9, 7], pa.int64(), row_group_size=2)
    assert said(path) == ColumnStatistics(pa.int64(), 1, 9, True, True, 3)


def test_a_group_of_nan_has_no_bounds_so_the_column_has_none(tmp_path):
    path = written(tmp_path, [1.0, 2.0, NAN, NAN], pa.float64(), row_group_size=2)
    assert bounds(path) == (None, False, None, False)


def test_a_bound_that_is_nan_is_none_and_so_is_the_other(tmp_path):
    path = written(tmp_path, [1.0, 2.0], pa.float64())
    rewrite_footer(path, lambda tree: statistics_in(tree).update({5: (8, struct.pack("<d", NAN))}))
    assert bounds(path) == (None, False, None, False)


def test_no_statistics(tmp_path):
    path = written(tmp_path, [1, 2], pa.int64(), write_statistics=False)
    assert said(path) == ColumnStatistics(pa.int64(), None, None, False, False, None)


def test_int96(tmp_path):
    path = written(tmp_path, [INSTANT], pa.timestamp("us"), use_deprecated_int96_timestamps=True)
    assert bounds(path) == (None, False, None, False)
    assert said(path).nulls is None


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.int64()), pa.struct([("a", pa.int64())]), pa.map_(pa.string(), pa.int64())]
)
def test_nested_columns_and_those_beside_them(tmp_path, kind):
    path = tmp_path / "x.parquet"
    columns = {"a": [2], "x": pa.array([None], kind), "b": [3], "c": [[4]], "d": [5]}
    pq.write_table(pa.table(columns), path)
    found = table_statistics([str(path)], ["a", "x", "b", "c", "d"]).columns
    assert [found[name].low for name in "axbcd"] == [2, None, 3, None, 5]
    assert found["x"].nulls is None


def test_arrow_leaves_long_bounds_out(tmp_path):
    path = written(tmp_path, ["b" * 5000, "a" * 5000, "c"], pa.string())
    assert bounds(path) == (None, False, b"c", True)


def test_arrow_takes_bounds_from_rows_and_not_from_dictionaries(tmp_path):
    dictionary = pa.DictionaryArray.from_arrays(pa.array([1, 2, 1, None]), pa.array(["a", "m", "p", "z"]))
    assert bounds(written(tmp_path, dictionary.slice(1), None)) == (b"m", True, b"p", True)


def test_duckdb(tmp_path):
    path = tmp_path / "d.parquet"
    duckdb.sql(
        "copy (select i, (i * 2)::utinyint u, ('x' || i)::varchar s, (i / 7)::decimal(30, 3) d, i::double f, "
        "make_date(2020, 1, 1 + i::int) t, 'NaN'::double n, repeat('a', 3000) l, timestamptz '2020-01-01' + "
        f"interval (i) second z, nullif(i, 3) o from range(10) t(i)) to '{path}'"
    )
    found = table_statistics([str(path)], list("iusdftnlzo")).columns
    whole = pq.read_table(path)
    for name in "iud":
        least = pc.min_max(whole[name]).as_py()
        assert (found[name].low, found[name].high) == (least["min"], least["max"])
        assert (found[name].low_exact, found[name].high_exact) == (True, True)
    assert (found["f"].low, found["f"].high, found["o"].nulls) == (0.0, 9.0, 1)
    assert (found["s"].low, found["s"].low_exact, found["s"].high) == (b"x0", True, b"x9")
    assert (found["t"].low, found["t"].high) == (18262, 18271)
    assert (found["z"].kind, found["z"].high - found["z"].low) == (pa.timestamp("us", "UTC"), 9 * 10**6)
    assert found["n"].low is None
    assert found["l"].low in (None, b"a" * 3000) or not found["l"].low_exact


def long_texts(tmp_path, change=lambda tree: None):
    """Return a file of three row groups, the first of which is changed."""
    path = written(tmp_path, ["bb", "yy", "cc", "xx", "dd", "ww"], pa.string(), row_group_size=2)
    rewrite_footer(path, change)
    return path


def test_a_bound_that_is_flagged_as_cut_is_loose(tmp_path):
    def cut(tree):
        statistics_in(tree).update({6: (8, b"b"), 8: (2, False), 5: (8, b"z"), 7: (2, False)})

    assert bounds(long_texts(tmp_path, cut)) == (b"b", False, b"z", False)


def test_only_the_group_that_has_the_bound_counts(tmp_path):
    def cut(tree):
        statistics_in(tree, 1).update({6: (8, b"c"), 8: (2, False), 5: (8, b"z"), 7: (2, False)})

    assert bounds(long_texts(tmp_path, cut)) == (b"bb", True, b"z", False)


def test_a_group_with_values_and_without_a_bound(tmp_path):
    def lose(tree):
        del statistics_in(tree, 2)[6]

    assert bounds(long_texts(tmp_path, lose)) == (None, False, b"yy", True)


def by(tree, writer):
    """Make another writer that knows no flags of a file."""
    tree[6] = (8, writer)
    for group in range(len(tree[4][1][1])):
        for flag in (7, 8):
            statistics_in(tree, group).pop(flag, None)


@pytest.mark.parametrize(
    ("writer", "exact"),
    [
        (b"parquet-cpp-arrow version 20.0.0", True),
        (b"parquet-mr version 1.13.1 (build db4183109d5b734ec5930d870cdae161e408ddba)", False),
        (b"Polars (python) version 2.1.0", False),
        (b"delta-rs version py-1.6.6", False),
        (b"DuckDB", False),
        (b"", False),
    ],
)
def test_without_flags_texts_are_exact_if_the_writer_never_cuts(tmp_path, writer, exact):
    path = long_texts(tmp_path, lambda tree: by(tree, writer))
    assert bounds(path) == (b"bb", exact, b"yy", exact)


def test_a_writer_that_sets_one_flag_knows_of_flags(tmp_path):
    def one(tree):
        by(tree, b"parquet-cpp-arrow version 30.0.0")
        statistics_in(tree)[8] = (1, True)

    assert bounds(long_texts(tmp_path, one)) == (b"bb", True, b"yy", False)


@pytest.mark.parametrize(
    "writer",
    [b"parquet-cpp version 1.5.1-SNAPSHOT", b"parquet-cpp-arrow version 11.0.0", b"parquet-mr version 1.8.1 (build x)"],
)
def test_texts_of_writers_that_had_them_wrong(tmp_path, writer):
    found = said(long_texts(tmp_path, lambda tree: by(tree, writer)))
    assert (found.low, found.high, found.nulls) == (None, None, None)


@pytest.mark.parametrize("writer", [b"fastparquet-python version 2024.11.0 (build 0)", b"hyparquet"])
@pytest.mark.parametrize("kind", [pa.int64(), pa.uint8(), pa.float64(), pa.decimal128(5), pa.bool_()])
def test_numbers_of_writers_that_have_them_wrong(tmp_path, writer, kind):
    values = [Decimal(0), Decimal(1)] if pa.types.is_decimal(kind) else pa.array([0, 1]).cast(kind)
    path = written(tmp_path, values, kind, store_decimal_as_integer=True)
    rewrite_footer(path, lambda tree: by(tree, writer))
    assert bounds(path) == (None, False, None, False)
    assert said(path).nulls == 0


def test_more_nulls_than_values_are_no_count(tmp_path):
    path = written(tmp_path, [1, None], pa.int64())
    rewrite_footer(path, lambda tree: statistics_in(tree).update({3: (6, 3)}))
    assert said(path).nulls is None


def test_numbers_are_exact_without_flags_unless_flagged(tmp_path):
    path = written(tmp_path, [1, 2], pa.int64())
    rewrite_footer(path, lambda tree: by(tree, b"anything"))
    assert bounds(path) == (1, True, 2, True)
    rewrite_footer(path, lambda tree: statistics_in(tree).update({8: (2, False)}))
    assert bounds(path) == (1, False, 2, True)


@pytest.mark.parametrize(
    ("writer", "believed"),
    [
        (b"parquet-cpp-arrow version 20.0.0", True),
        (b"parquet-mr version 1.13.1", True),
        (b"DuckDB version v1.4.0", True),
        (b"Polars (python) version 2.1.0", False),
        (b"ClickHouse v25.5", False),
        (b"parquet-cpp-arrow version 3.0.0", False),
    ],
)
def test_decimals_of_bytes(tmp_path, writer, believed):
    path = written(tmp_path, [Decimal("-1.5"), Decimal("2.5")], pa.decimal128(30, 1))
    rewrite_footer(path, lambda tree: by(tree, writer))
    low, high = (Decimal("-1.5"), Decimal("2.5")) if believed else (None, None)
    assert bounds(path) == (low, believed, high, believed)


def test_decimals_of_integers_are_believed(tmp_path):
    path = written(tmp_path, [Decimal("-1.5"), Decimal("2.5")], pa.decimal128(9, 1), store_decimal_as_integer=True)
    rewrite_footer(path, lambda tree: by(tree, b"Polars"))
    assert bounds(path) == (Decimal("-1.5"), True, Decimal("2.5"), True)


def only_deprecated(tree):
    found = statistics_in(tree)
    for new, old in ((5, 1), (6, 2)):
        found[old] = found.pop(new)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, -2], pa.int64(), (-2, True, 1, True)),
        ([1.5, -2.0], pa.float64(), (-2.0, True, 1.5, True)),
        ([1, 2], pa.date32(), (1, True, 2, True)),
        ([1, 2], pa.uint64(), (None, False, None, False)),
        (["a", "b"], pa.string(), (None, False, None, False)),
        ([b"a", b"b"], pa.binary(1), (None, False, None, False)),
        ([Decimal(1), Decimal(2)], pa.decimal128(30), (None, False, None, False)),
    ],
)
def test_deprecated_bounds_are_of_signed_order(tmp_path, values, kind, expected):
    path = written(tmp_path, values, kind)
    rewrite_footer(path, only_deprecated)
    assert bounds(path) == expected


def test_bounds_of_an_order_that_is_not_known(tmp_path):
    path = written(tmp_path, ["a"], pa.string())
    rewrite_footer(path, lambda tree: tree.update({7: (9, (12, [{9: (12, {})}]))}))
    assert bounds(path) == (None, False, None, False)
    rewrite_footer(path, lambda tree: tree.pop(7))
    assert bounds(path) == (None, False, None, False)


def test_a_low_above_its_high_is_a_lie(tmp_path):
    def swap(tree):
        found = statistics_in(tree)
        found[5], found[6] = found[6], found[5]

    path = written(tmp_path, [1, 2], pa.int64())
    rewrite_footer(path, swap)
    found = said(path)
    assert (found.low, found.high) in {(None, None), (1, 1)}  # Arrow writes both forms


@pytest.mark.parametrize("size", [0, 3, 9])
def test_a_bound_of_another_size_is_none(tmp_path, size):
    path = written(tmp_path, [1, 2], pa.int64())
    rewrite_footer(path, lambda tree: statistics_in(tree).update({6: (8, bytes(size))}))
    assert bounds(path) == (None, False, 2, True)


def test_no_nulls_where_a_column_is_required(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({"x": [1, 2]}, pa.schema([pa.field("x", pa.int64(), nullable=False)])), path, write_statistics=False
    )
    assert said(path) == ColumnStatistics(pa.int64(), None, None, False, False, 0)


def several(tmp_path, *parts):
    paths = []
    for i, columns in enumerate(parts):
        paths.append(str(tmp_path / f"part-{i}.parquet"))
        pq.write_table(pa.table(columns), paths[-1])
    return table_statistics(paths, ["x"])


def test_files_of_one_table(tmp_path):
    found = several(tmp_path, {"x": pa.array([3, 2**53 + 1])}, {"x": pa.array([1, None], pa.int8())}, {"y": [1, 2, 3]})
    assert found.rows == 7
    assert found.columns["x"] == ColumnStatistics(pa.int64(), 1, 2**53 + 1, True, True, 4)
    found = several(tmp_path, {"x": pa.array([3, -1])}, {"x": pa.array([0.5, 2.5])}, {"x": pa.nulls(2)})
    assert found.columns["x"] == ColumnStatistics(pa.float64(), -1, 3, True, True, 2)
    found = several(tmp_path, {"x": ["a"]}, {"x": [1, None]})
    assert found.columns["x"] == ColumnStatistics(None, None, None, False, False, 1)


def test_what_is_no_parquet_and_what_is_not_there(tmp_path):
    path = written(tmp_path, [1], pa.int64())
    with pytest.raises(InputError, match="'y' in none of"):
        table_statistics([str(path)], ["y"])
    with pytest.raises(InputError, match="can be reached"):
        table_statistics([str(tmp_path / "none")], ["x"])
    data = path.read_bytes()
    rng = Random(2)
    for broken in (b"", b"PAR1PAR1", data[:-4] + b"PARE", data[:-8] + b"\xff\xff\xff\x7fPAR1", data[:-1]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="readable Parquet file"):
            said(path)
    for _ in range(300):
        at = rng.randrange(len(data) - 300, len(data))
        path.write_bytes(data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :])
        try:
            said(path)
        except InputError as error:
            assert "x.parquet" in str(error) or "'x' in none" in str(error)  # noqa: PT017 - many may be sound


def test_a_long_footer(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({f"{i:04}" * 10: [i] for i in range(600)} | {"x": [7]}), path)
    assert bounds(path) == (7, True, 7, True)


def test_remote(tmp_path):
    import fsspec

    path = written(tmp_path, [1, 2], pa.int64())
    with fsspec.open("memory://statistics/x.parquet", "wb") as stream:
        stream.write(path.read_bytes())
    assert bounds("memory://statistics/x.parquet") == (1, True, 2, True)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (pa.int64(), Stored(2, -1, 14, 10, 0, -1)),  # unsigned is read as signed
        (pa.uint64(), Stored(2, -1, -1, -1, -1, -1)),
        (pa.uint32(), Stored(1, -1, -1, -1, -1, -1)),
        (pa.int64(), Stored(2, -1, 10, 8, -1, 2)),
        (pa.timestamp("us"), Stored(2, -1, 9, -1, -1, -1)),
        (pa.timestamp("us"), Stored(2, -1, -1, 8, -1, 3)),
        (pa.timestamp("us"), Stored(3, -1, -1, -1, -1, -1)),
        (pa.time64("us"), Stored(2, -1, -1, 7, -1, 3)),
        (pa.date32(), Stored(1, -1, -1, -1, -1, -1)),
        (pa.duration("us"), Stored(2, -1, -1, 8, -1, 2)),
        (pa.float64(), Stored(4, -1, -1, -1, -1, -1)),
        (pa.float16(), Stored(7, 2, -1, -1, -1, -1)),
        (pa.bool_(), Stored(1, -1, -1, -1, -1, -1)),
        (pa.decimal128(5, 2), Stored(6, -1, 5, 5, -1, -1)),
        (pa.decimal128(5, 2), Stored(1, -1, -1, -1, -1, -1)),
        (pa.string(), Stored(6, -1, -1, -1, -1, -1)),
        (pa.binary(12), Stored(7, 12, 21, -1, -1, -1)),  # an interval
        (pa.binary(), Stored(6, -1, -1, 17, -1, -1)),  # a geometry
        (pa.binary(), Stored(6, -1, -1, 99, -1, -1)),
    ],
)
def test_types_that_do_not_fit_how_they_are_stored(kind, stored):
    assert reading_of(kind, stored) is None


def test_older_forms_of_types():
    assert reading_of(pa.timestamp("us"), Stored(2, -1, 10, -1, -1, -1)).kind == pa.timestamp("us")
    assert reading_of(pa.time32("ms"), Stored(1, -1, 7, -1, -1, -1)).decode(b"\1\0\0\0") == 1
    assert reading_of(pa.string(), Stored(6, -1, 0, -1, -1, -1)).cut
    assert reading_of(pa.uint8(), Stored(1, -1, 11, -1, -1, -1)).decode(b"\xff\0\0\0") == 255
    assert reading_of(pa.uint32(), Stored(2, -1, -1, -1, -1, -1)).signed


def test_writers_without_versions():
    assert not writer_of("parquet-cpp-arrow").never_cuts
    assert not writer_of("parquet-mr").orders_bytes
    assert writer_of("").orders_bytes
