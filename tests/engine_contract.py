"""What every engine must do: one class of tests, inherited by each engine's own test file.

Expected values come from plain Python over the same rows.
"""

import random
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tamis.connectors.address import ADDRESS, address
from tamis.connectors.corpus import InputSpec, open_corpus, plan_splits
from tamis.hashing.errors import BadRowError

NUMBERS = pa.schema([("key", pa.int64()), ("value", pa.int64()), ("name", pa.string())])


def packed(values):
    """Return a table of int64 packed in a binary column, ``None`` for a null."""
    cells = [None if some is None else np.array(some, "<i8").tobytes() for some in values.values()]
    return pa.table({"key": pa.array(values, pa.int64()), "values": pa.array(cells, pa.binary())})


def rows_of(table):
    """Rows as tuples, sorted: tables have no order of their own."""
    return sorted(tuple(row.values()) for row in table.collect().to_pylist())


def numbers(rows, *, chunk=7):
    """A driver table of (key, value, name) in several batches."""
    batches = [
        pa.RecordBatch.from_pylist(
            [dict(zip(NUMBERS.names, row, strict=True)) for row in rows[i : i + chunk]], schema=NUMBERS
        )
        for i in range(0, len(rows), chunk)
    ]
    return pa.Table.from_batches(batches, NUMBERS)


class EngineContract:
    """Inherit, and give a fixture ``engine``."""

    @pytest.fixture
    def rows(self):
        """300 rows of 40 keys, some alone; every (key, value) once."""
        rng = random.Random(1)
        pairs = sorted({(rng.choice([-5, 0, 1, 2**62, *range(10, 46)]), rng.randrange(10**6)) for _ in range(300)})
        rows = [(key, value, f"n{value % 7}é") for key, value in pairs]
        rng.shuffle(rows)
        return rows

    @pytest.fixture
    def table(self, engine, rows):
        return engine.table(numbers(rows))

    def test_table_gives_back_its_rows(self, table, rows):
        assert rows_of(table) == sorted(rows)

    def test_empty_table_keeps_its_schema(self, engine):
        assert engine.table(NUMBERS.empty_table()).collect().schema == NUMBERS

    def test_select_keeps_and_renames(self, table, rows):
        chosen = table.select("name", number="value")
        assert chosen.schema.names == ["name", "number"]
        assert rows_of(chosen) == sorted((name, value) for _, value, name in rows)

    def test_map_applies_to_all_rows(self, table, rows):
        schema = pa.schema([("double", pa.int64())])

        def double(batch):
            return pa.RecordBatch.from_arrays([pc.multiply(batch.column("value"), 2)], schema=schema)

        assert rows_of(table.map(double, schema)) == sorted((2 * value,) for _, value, _ in rows)

    def test_tasks_have_what_is_shipped(self, engine, table, rows):
        shipped = engine.ship({"add": np.arange(3), "names": pa.array(["a", None, "c"])})
        schema = pa.schema([("sum", pa.int64()), ("name", pa.string())])

        def use(batch):
            thing = shipped()
            places = batch.column("value").to_numpy() % 3
            sums = pc.add(batch.column("value"), pa.array(thing["add"][places]))
            return pa.RecordBatch.from_arrays([sums, thing["names"].take(pa.array(places))], schema=schema)

        expected = [(value + value % 3, ("a", None, "c")[value % 3]) for _, value, _ in rows]
        found = [tuple(row.values()) for row in table.map(use, schema).collect().to_pylist()]
        assert sorted(found, key=str) == sorted(expected, key=str)

    def test_tasks_see_a_shared_folder(self, engine, table, rows, tmp_path):
        (tmp_path / "model" / "inside").mkdir(parents=True)
        (tmp_path / "model" / "inside" / "file").write_text("5")
        place = engine.share(tmp_path / "model")
        schema = pa.schema([("sum", pa.int64())])

        def use(batch):
            more = int((place / "inside" / "file").read_text())
            return pa.RecordBatch.from_arrays([pc.add(batch.column("value"), more)], schema=schema)

        assert rows_of(table.map(use, schema)) == sorted((value + 5,) for _, value, _ in rows)

    def test_map_may_drop_rows(self, table, rows):
        odd = table.map(lambda batch: batch.filter(pc.equal(pc.bit_wise_and(batch.column("value"), 1), 1)), NUMBERS)
        assert rows_of(odd) == sorted(row for row in rows if row[1] % 2)

    def test_map_after_a_query(self, table, rows):
        distinct = table.select("name").distinct()
        assert rows_of(distinct.map(lambda batch: batch, distinct.schema)) == sorted({(name,) for _, _, name in rows})

    def test_union_keeps_repeats(self, table, rows):
        assert rows_of(table.union(table)) == sorted(rows + rows)

    def test_distinct(self, table, rows):
        assert rows_of(table.select("key").distinct()) == sorted({(key,) for key, _, _ in rows})

    @pytest.mark.parametrize("how", ["inner", "left", "semi", "anti"])
    def test_join(self, engine, table, rows, how):
        right = [(key, key * 3) for key in {key for key, _, _ in rows} if key % 2]
        schema = pa.schema([("key", pa.int64()), ("triple", pa.int64())])
        other = engine.table(
            pa.Table.from_pylist([dict(zip(schema.names, r, strict=True)) for r in right], schema=schema)
        )
        triple = dict(right)
        expected = {
            "inner": [(*row, triple[row[0]]) for row in rows if row[0] in triple],
            "left": [(*row, triple.get(row[0])) for row in rows],
            "semi": [row for row in rows if row[0] in triple],
            "anti": [row for row in rows if row[0] not in triple],
        }[how]
        found = table.join(other, on=["key"], how=how).collect().to_pylist()
        assert sorted(map(str, (tuple(row.values()) for row in found))) == sorted(map(str, expected))

    @pytest.mark.parametrize("how", ["inner", "left", "semi", "anti"])
    def test_join_with_keys_that_occur_twice_there(self, engine, how):
        left = engine.table(numbers([(3, 0, "a"), (5, 1, "b"), (-(2**63), 2, "c"), (2**63 - 1, 3, "d")]))
        schema = pa.schema([("key", pa.int64()), ("more", pa.int64())])
        right = [(2**63 - 1, 1), (5, 2), (2**63 - 1, 3), (-(2**63), 4)]
        other = engine.table(pa.table(list(zip(*right, strict=True)), schema=schema))
        found = left.join(other, on=["key"], how=how).collect()
        assert sorted(map(str, (tuple(row.values()) for row in found.to_pylist()))) == sorted(
            map(
                str,
                {
                    "inner": [(5, 1, "b", 2), (-(2**63), 2, "c", 4), (2**63 - 1, 3, "d", 1), (2**63 - 1, 3, "d", 3)],
                    "left": [
                        (3, 0, "a", None),
                        (5, 1, "b", 2),
                        (-(2**63), 2, "c", 4),
                        (2**63 - 1, 3, "d", 1),
                        (2**63 - 1, 3, "d", 3),
                    ],
                    "semi": [(5, 1, "b"), (-(2**63), 2, "c"), (2**63 - 1, 3, "d")],
                    "anti": [(3, 0, "a")],
                }[how],
            )
        )

    @pytest.mark.parametrize("how", ["inner", "left", "semi", "anti"])
    def test_join_of_joins(self, engine, table, rows, how):
        keys = sorted({key for key, _, _ in rows})
        schema = pa.schema([("key", pa.int64()), ("place", pa.int64())])
        places = engine.table(pa.table([keys, list(range(len(keys)))], schema=schema)).save("places")
        odd = engine.table(pa.table([list(range(1, len(keys), 2))], schema=pa.schema([("place", pa.int64())])))
        found = table.join(places, on=["key"]).join(odd, on=["place"], how=how).select("key", "place").distinct()
        place_of = {key: place for place, key in enumerate(keys)}
        odd_ones = {place for place in place_of.values() if place % 2}
        wanted = {"inner": odd_ones, "semi": odd_ones, "left": set(place_of.values())}
        left = wanted.get(how, set(place_of.values()) - odd_ones)
        assert rows_of(found) == sorted((key, place) for key, place in place_of.items() if place in left)

    @pytest.mark.parametrize("n", [1, 3, 1000])
    @pytest.mark.parametrize("at_least", [1, 2, 6])
    def test_first(self, table, rows, n, at_least):
        groups = defaultdict(list)
        for row in rows:
            groups[row[0]].append(row)
        expected = [
            (*row, len(group))
            for group in groups.values()
            if len(group) >= at_least
            for row in sorted(group, key=lambda r: r[1])[:n]
        ]
        found = table.first(by=["key"], order=["value"], n=n, at_least=at_least, size="size")
        assert rows_of(found) == sorted(expected)

    def test_first_of_a_key_larger_than_any_batch(self, engine):
        many = [(7, value, "x") for value in range(1000, 0, -1)]
        found = engine.table(numbers(many, chunk=10)).first(by=["key"], order=["value"], n=2, at_least=2, size="size")
        assert rows_of(found) == [(7, 1, "x", 1000), (7, 2, "x", 1000)]

    def test_first_by_several_columns(self, table, rows):
        best = {}
        for key, value, name in rows:
            best[(key, name)] = min(value, best.get((key, name), value))
        found = table.first(by=["key", "name"], order=["value"])
        assert rows_of(found) == sorted((key, value, name) for (key, name), value in best.items())

    def test_explode_makes_a_row_of_each_packed_value(self, engine):
        values = {1: [5, -6, 5], 2: [], 3: None, 4: [2**63 - 1], 5: [7] * 1000}
        table = engine.table(packed(values))
        expected = sorted((key, value) for key, some in values.items() for value in some or [])
        assert rows_of(table.explode("values", into="value", repeated=False)) == expected

    def test_explode_of_repeated_values_keeps_every_row_of_a_value_that_occurs_twice(self, engine):
        numbers_of = {key: [key * 31 % 97, key, 10**6 + key * key, -1 - key % 50] for key in range(200)}
        table = engine.table(packed(numbers_of))
        every = sorted((key, value) for key, some in numbers_of.items() for value in some)
        values = [value for _, value in every]
        found = rows_of(table.explode("values", into="value", repeated=True))
        assert [row for row in found if values.count(row[1]) > 1] == [row for row in every if values.count(row[1]) > 1]
        assert set(found) <= set(every)

    def test_explode_of_nothing(self, engine):
        empty = packed({})
        for repeated in (False, True):
            assert rows_of(engine.table(empty).explode("values", into="value", repeated=repeated)) == []

    def test_aggregate_by_key(self, table, rows):
        found = table.aggregate(by=["name"], rows=("count", "key"), total=("sum", "value"), least=("min", "value"))
        expected = []
        for name in {row[2] for row in rows}:
            values = [value for _, value, n in rows if n == name]
            expected.append((name, len(values), sum(values), min(values)))
        assert rows_of(found) == sorted(expected)

    def test_aggregate_of_nothing_is_one_row_of_zeros(self, engine):
        found = engine.table(NUMBERS.empty_table()).aggregate(by=[], rows=("count", "key"), total=("sum", "value"))
        assert rows_of(found) == [(0, 0)]
        assert rows_of(engine.table(NUMBERS.empty_table()).aggregate(by=["name"], rows=("count", "key"))) == []

    @pytest.mark.parametrize("keys", [1, 7, 900], ids="{} keys".format)
    def test_aggregate_and_distinct_in_parts(self, engine, keys):
        numbers_of = [(i * i % keys, i, f"n{i % 3}") for i in range(1000)]
        table = engine.table(numbers(numbers_of, chunk=90))
        groups = defaultdict(list)
        for key, value, _ in numbers_of:
            groups[key].append(value)
        measures = {"n": ("count", "value"), "all": ("sum", "value"), "low": ("min", "value"), "top": ("max", "value")}
        expected = sorted((key, len(v), sum(v), min(v), max(v)) for key, v in groups.items())
        assert rows_of(table.aggregate(by=["key"], **measures)) == expected
        assert rows_of(table.aggregate(by=[], **measures)) == [(1000, 499_500, 0, 999)]
        assert rows_of(table.select("name", "key").distinct()) == sorted({(name, key) for key, _, name in numbers_of})

    def test_number_is_dense_in_a_total_order(self, table, rows):
        ordered = sorted(rows, key=lambda row: (row[2].encode(), row[1], row[0]))
        found = table.number(order=["name", "value", "key"], name="place")
        assert rows_of(found) == sorted((*row, i) for i, row in enumerate(ordered))

    def test_number_orders_strings_by_their_bytes(self, engine):
        names = ["a", "B", "é", "z", "\U00010000", "\uffff", ""]
        found = engine.table(numbers([(0, 0, name) for name in names])).number(order=["name"], name="place")
        by_place = [row["name"] for row in sorted(found.collect().to_pylist(), key=lambda row: row["place"])]
        assert by_place == sorted(names, key=lambda name: name.encode())

    def test_group_hands_over_whole_sorted_groups(self, table, rows):
        schema = pa.schema([("key", pa.int64()), ("values", pa.list_(pa.int64()))])

        def listed(group):
            rows = group.sorted()
            assert len(set(rows["key"].to_pylist())) == 1
            assert group.sorted(1, 3).equals(rows.slice(1, 2))
            line = {"key": rows["key"][0].as_py(), "values": rows["value"].to_pylist()}
            return pa.RecordBatch.from_pylist([line], schema=schema)

        groups = defaultdict(list)
        for key, value, _ in rows:
            groups[key].append(value)
        found = table.group(by="key", sort=["value"], fn=listed, schema=schema, hold=1 << 20).collect().to_pylist()
        assert {row["key"]: row["values"] for row in found} == {key: sorted(values) for key, values in groups.items()}

    def test_group_without_hold_streams_sorted_keys(self, table, rows):
        schema = pa.schema([("key", pa.int64()), ("place", pa.int64()), ("value", pa.int64())])

        def numbered(batches):
            last, place = None, 0
            for batch in batches:
                for key, value in zip(batch["key"].to_pylist(), batch["value"].to_pylist(), strict=True):
                    last, place = key, place + 1 if key == last else 0
                    line = {"key": key, "place": place, "value": value}
                    yield pa.RecordBatch.from_pylist([line], schema=schema)

        groups = defaultdict(list)
        for key, value, _ in rows:
            groups[key].append(value)
        expected = [(key, i, value) for key, values in groups.items() for i, value in enumerate(sorted(values))]
        found = table.select("key", "value").group(by="key", sort=["value"], fn=numbered, schema=schema, hold=None)
        assert rows_of(found) == sorted(expected)

    @pytest.mark.parametrize("lead", [1, 3])
    def test_group_with_lead_gives_every_row_the_first_of_its_key(self, engine, lead):
        """A key of 5,000 rows, one of exactly ``lead``, some smaller: rows are paired with the first of their key."""
        rng = random.Random(2)
        rows = [(key, rng.randrange(10**9)) for key in [*range(30), *[-7] * 5000, *[8] * 40, *[99] * lead]]
        rng.shuffle(rows)
        schema = pa.schema([("key", pa.int64()), ("value", pa.int64()), ("first", pa.int64())])

        def paired(batches):
            last, firsts = None, []
            for batch in batches:
                lines = []
                for key, value in zip(batch["key"].to_pylist(), batch["value"].to_pylist(), strict=True):
                    last, firsts = key, firsts if key == last else []
                    lines += [{"key": key, "value": value, "first": first} for first in firsts]
                    firsts = [*firsts, value][:lead]
                yield pa.RecordBatch.from_pylist(lines, schema=schema)

        groups = defaultdict(list)
        for key, value in sorted(rows):
            groups[key].append(value)
        expected = {
            (key, values[i], first)
            for key, values in groups.items()
            for i in range(1, len(values))
            for first in values[: min(i, lead)]
        }
        table = engine.table(numbers([(key, value, "") for key, value in rows], chunk=300)).select("key", "value")
        found = table.group(by="key", sort=["value"], fn=paired, schema=schema, lead=lead)
        assert set(rows_of(found)) == expected

    @pytest.mark.parametrize("saved", [False, True])
    @pytest.mark.parametrize("lead", [1, 2])
    def test_group_of_exploded_values_with_lead(self, engine, lead, saved):
        """Values that occur once may be missing; all others meet, a hot one too."""
        values = {key: [key, 1000 + key // 3, -4] for key in range(200)}
        schema = pa.schema([("value", pa.int64()), ("key", pa.int64())])

        def rows_after_the_first(batches):
            last = None
            for batch in batches:
                lines = []
                for value, key in zip(batch["value"].to_pylist(), batch["key"].to_pylist(), strict=True):
                    lines += [{"value": value, "key": key}] if value == last else []
                    last = value
                yield pa.RecordBatch.from_pylist(lines, schema=schema)

        table = engine.table(packed(values))
        exploded = (table.save("packed") if saved else table).explode("values", into="value", repeated=True)
        found = exploded.group(by="value", sort=["key"], fn=rows_after_the_first, schema=schema, lead=lead)
        expected = {(1000 + key // 3, key) for key in range(200) if key % 3} | {(-4, key) for key in range(1, 200)}
        assert set(rows_of(found)) == expected

    def test_group_carries_any_type_untouched(self, engine, tmp_path):
        rows = pa.table(
            {
                "key": pa.array([2, 1, 2], pa.int64()),
                "place": pa.array([1, 0, 0], pa.int64()),
                "kind": pa.array(["x", None, "y"]).dictionary_encode(),
                "small": pa.array([1, 2, None], pa.uint8()),
                "nested": pa.array([{"a": [1]}, None, {"a": []}], pa.struct([("a", pa.list_(pa.int32()))])),
                "fixed": pa.array([b"abcd", b"efgh", None], pa.binary(4)),
                "when": pa.array([1000, None, 3000], pa.timestamp("ns", "Europe/Paris")),
                "exact": pa.array([None, 10, 2], pa.decimal256(60, 0)),
            }
        )
        out = pa.schema([("key", pa.int64())])

        def keep(group):
            key, rows = group.rows["key"][0].as_py(), group.sorted()
            with pa.ipc.new_file(tmp_path / f"{key}.arrow", rows.schema) as writer:
                writer.write_table(rows)
            return pa.RecordBatch.from_arrays([pa.array([key], pa.int64())], schema=out)

        engine.table(rows).group(by="key", sort=["place"], fn=keep, schema=out, hold=1 << 20).collect()
        seen = {int(path.stem): pa.ipc.open_file(path).read_all() for path in tmp_path.glob("*.arrow")}
        assert {key: group.to_pylist() for key, group in seen.items()} == {
            1: rows.take([1]).to_pylist(),
            2: rows.take([2, 0]).to_pylist(),
        }
        assert seen[2].schema == rows.schema

    def test_fold_streams_in_order(self, table, rows):
        schema = pa.schema([("running", pa.int64())])

        def sums(batches):
            total = 0
            for batch in batches:
                for value in batch.column("value").to_pylist():
                    total += value
                    yield pa.RecordBatch.from_pylist([{"running": total}], schema=schema)

        expected, total = [], 0
        for _, value, _ in sorted(rows):
            total += value
            expected.append((total,))
        assert rows_of(table.fold(order=["key", "value"], fn=sums, schema=schema)) == sorted(expected)

    def test_save_is_durable_and_computed_once(self, engine, table, rows, tmp_path):
        notes = tmp_path / "notes"

        def noting(batch):
            with open(notes, "a") as stream:
                stream.write("x")
            return batch

        saved = table.map(noting, NUMBERS).save("noted")
        assert rows_of(saved) == sorted(rows)
        assert rows_of(saved.select("key").distinct()) == sorted({(key,) for key, _, _ in rows})
        before = notes.read_text()
        again = table.map(noting, NUMBERS).save("noted")
        assert rows_of(again) == sorted(rows)
        assert notes.read_text() == before
        assert engine.has("noted")
        assert not engine.has("unknown")

    def test_saving_nothing_keeps_the_schema(self, engine):
        assert engine.table(NUMBERS.empty_table()).save("nothing").collect().schema == NUMBERS

    def test_a_failing_function_raises_its_error_and_saves_nothing(self, engine, table):
        def fail(batch):
            raise ZeroDivisionError("on purpose")

        with pytest.raises(ZeroDivisionError, match="on purpose"):
            table.map(fail, NUMBERS).save("failed")
        assert not engine.has("failed")

    def test_a_function_that_fails_inside_a_query_raises_its_error(self, table):
        def fail(batch):
            raise BadRowError("a rule", value="a value", remedy="a remedy")

        with pytest.raises(BadRowError, match="a rule; found a value. a remedy"):
            table.map(fail, NUMBERS).join(table.select("key").distinct(), on=["key"]).collect()

    @pytest.fixture
    def corpus(self, tmp_path):
        """Three Parquet files of several row groups: (splits, schema, all rows with addresses)."""
        expected = []
        for number, count in enumerate([50, 0, 23]):
            table = pa.table(
                {
                    "text": pa.array([f"text {number} {i}" for i in range(count)], pa.string()),
                    "n": pa.array(range(count), pa.int32()),
                }
            )
            pq.write_table(table, tmp_path / f"{number}.parquet", row_group_size=9)
            expected += [(address(number, i), f"text {number} {i}", i) for i in range(count)]
        files = open_corpus([InputSpec(str(tmp_path))]).files
        schema = pa.schema([("text", pa.string()), ("n", pa.int32())])
        return [split for file in files for split in plan_splits(file, split_bytes=1)], schema, expected

    def test_read_gives_every_record_its_address(self, engine, corpus):
        splits, schema, expected = corpus
        found = engine.read(splits, schema, full=schema).select(ADDRESS, "text", "n")
        assert rows_of(found) == expected

    def test_read_only_some_with_their_columns(self, engine, corpus):
        splits, schema, expected = corpus
        by_address = {row[0]: row for row in expected}
        wanted = [(address(2, 5), 1), (address(0, 49), 2), (address(0, 0), 3), (address(2, 5), 4)]
        only_schema = pa.schema([(ADDRESS, pa.int64()), ("tag", pa.int64())])
        only = engine.table(pa.Table.from_pylist([{ADDRESS: a, "tag": tag} for a, tag in wanted], schema=only_schema))
        found = engine.read(splits, schema, full=schema, only=only).select(ADDRESS, "text", "n", "tag")
        assert rows_of(found) == sorted((*by_address[a], tag) for a, tag in wanted)

    def test_read_nothing(self, engine, corpus):
        splits, schema, _ = corpus
        only = engine.table(pa.schema([(ADDRESS, pa.int64())]).empty_table())
        assert rows_of(engine.read(splits, schema, full=schema, only=only)) == []
