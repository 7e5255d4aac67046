"""The planted truth is what the files say, read by Arrow and compared by value."""

import datetime
import math
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
import pytest
from planted_lake import ZONES, canonical, write_lake

OPTIONS = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""])
READ = {
    "parquet": pyarrow.parquet.read_table,
    "csv": lambda path: pyarrow.csv.read_csv(path, convert_options=OPTIONS),
    "jsonl": pyarrow.json.read_json,
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake")
    return folder, write_lake(folder, seed=1)


def rows_of(folder, table):
    """Rows by value: numbers as fractions, everything tagged with its kind."""
    path = folder / table.name
    files = sorted(path.iterdir()) if table.parts else [path]
    return [{key: by_value(value) for key, value in row.items()} for file in files
            for row in READ[table.format](file).to_pylist()]  # fmt: skip


def by_value(value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, datetime.datetime):
        return ("time", value.timestamp()) if value.tzinfo else ("naive", value.isoformat())
    if isinstance(value, list):
        return ("list", tuple(map(by_value, value)))
    if isinstance(value, dict):
        return ("struct", tuple(sorted((key, by_value(item)) for key, item in value.items())))
    return ("number", Fraction(value) if math.isfinite(value) else str(value))


def projected(rows, keys):
    return Counter(tuple(row[key] for key in keys) for row in rows)


def test_the_truth_is_what_the_files_say(lake):
    folder, truth = lake
    assert {path.name for path in folder.iterdir()} == truth.tables.keys()
    rows = {name: rows_of(folder, table) for name, table in truth.tables.items()}
    assert {name for name in rows if not rows[name]} == truth.empty
    sets, bags, with_columns = set(), set(), set()
    for child, table in truth.tables.items():
        keys = sorted(table.columns)
        own = projected(rows[child], keys)
        for parent, other in truth.tables.items():
            if parent != child and table.columns.keys() <= other.columns.keys():
                with_columns.add((parent, child))
                held = projected(rows[parent], keys)
                sets |= {(parent, child)} if set(own) <= set(held) else set()
                bags |= {(parent, child)} if own <= held else set()
    assert with_columns == truth.with_columns
    assert sets == truth.as_sets
    assert bags == truth.as_bags


def test_columns_of_files(lake):
    folder, truth = lake
    for name, table in truth.tables.items():
        if not table.parts and table.rows:
            assert READ[table.format](folder / name).column_names == list(table.columns)


def of(truth, variant, pairs, *, parent="root"):
    """In which families a pair of variants is among the pairs."""
    names = {(table.origin, table.variant): name for name, table in truth.tables.items()}
    roots = [name for name, made in names if made == variant and (name, parent) in names]
    return [(names[root, parent], names[root, variant]) in pairs for root in roots]


INSIDE = ["rows", "range", "columns", "columns-no-id", "rows-columns", "rows-other-format"]
INSIDE += [f"chain-{link}" for link in range(1, 6)] + ["empty", "header", "distinct"]
EQUAL = ["copy", "copy-rows", "copy-columns", "copy-groups", "copy-parts", "copy-format", "copy-format-parts"]
EQUAL += ["copy-types", "copy-signs"]
DECOYS = ["cell", "rows-cell", "row-more", "rows-row-more", "disjoint", "inside-range", "types", "null"]
DECOYS += ["nan-for-null", "code", "big", "zone"]


@pytest.mark.parametrize("variant", INSIDE + EQUAL)
def test_what_is_planted_is_inside(lake, variant):
    truth = lake[1]
    for pairs in (truth.as_sets, truth.as_bags):
        assert of(truth, variant, pairs)
        assert all(of(truth, variant, pairs))


@pytest.mark.parametrize("variant", EQUAL)
def test_copies_are_equal(lake, variant):
    truth = lake[1]
    for groups in (truth.equal_sets, truth.equal_bags):
        roots = {name: group for group in groups for name in group if truth.tables[name].variant == "root"}
        copies = [name for name, table in truth.tables.items() if table.variant == variant]
        assert all(name in roots[truth.tables[name].origin] for name in copies)


@pytest.mark.parametrize("variant", DECOYS)
def test_decoys_are_not_inside(lake, variant):
    truth = lake[1]
    assert of(truth, variant, truth.as_sets)
    assert not any(of(truth, variant, truth.as_sets))


def test_repeated_rows_tell_sets_from_bags(lake):
    truth = lake[1]
    for variant in ("twice", "rows-twice"):
        assert all(of(truth, variant, truth.as_sets))
        assert not any(of(truth, variant, truth.as_bags))
    assert all(of(truth, "rows", truth.as_bags, parent="rows-twice"))
    assert all(of(truth, "root", truth.as_bags, parent="twice"))


def test_a_chain_is_transitive(lake):
    truth = lake[1]
    for link in range(1, 5):
        assert all(of(truth, "chain-5", truth.as_bags, parent=f"chain-{link}"))
        assert not any(of(truth, f"chain-{link}", truth.as_sets, parent="chain-5"))


def test_a_seed_makes_one_lake(tmp_path):
    first, second, other = (write_lake(tmp_path / str(i), seed, tables=40) for i, seed in enumerate((1, 1, 2)))
    assert len(first.tables) == 40
    assert repr(first.tables) == repr(second.tables) != repr(other.tables)
    contents = [
        {p.relative_to(tmp_path / i): p.read_bytes() for p in (tmp_path / i).rglob("*.*") if p.is_file()} for i in "01"
    ]
    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"), (5.0, "5"), (Decimal("5.00"), "5"), (-0.0, "0"), (0.1, "0.1"), (Decimal("0.10"), "0.1"),
        (2**53 + 1, "9007199254740993"), (Decimal("-120.50"), "-120.5"), (math.nan, "nan"), (-math.inf, "-inf"),
        (None, None), ("", ""), (True, "true"), ([1.0, None, "x", [False]], '[1,null,"x",[false]]'),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, 600_000), "2026-01-02T03:04:05.6"),
        (datetime.datetime(2026, 1, 2, 3, 4, 50, tzinfo=ZONES[1]), "2026-01-01T21:34:50Z"),
    ],
)  # fmt: skip
def test_canonical_text(value, text):
    assert canonical(value) == text
