from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.connectors.schema import gather, unify, widen
from tamis.hashing.errors import InputError

DICT = pa.dictionary(pa.int32(), pa.string())


def struct(**fields):
    return pa.struct(list(fields.items()))


def columns(**fields):
    return pa.schema(list(fields.items()))


WIDENINGS = [
    (pa.string(), pa.string(), pa.string()),
    (pa.null(), pa.string(), pa.string()),
    (pa.null(), pa.map_(pa.string(), pa.int8()), pa.map_(pa.string(), pa.int8())),
    (pa.int8(), pa.int64(), pa.int64()),
    (pa.int16(), pa.int32(), pa.int32()),
    (pa.uint8(), pa.uint32(), pa.uint32()),
    (pa.uint8(), pa.int8(), pa.int16()),
    (pa.uint32(), pa.int8(), pa.int64()),
    (pa.uint8(), pa.int64(), pa.int64()),
    (pa.float32(), pa.float64(), pa.float64()),
    (pa.float16(), pa.float32(), pa.float32()),
    (pa.int64(), pa.float64(), pa.float64()),
    (pa.int8(), pa.float32(), pa.float64()),
    (pa.string(), pa.large_string(), pa.large_string()),
    (pa.string_view(), pa.string(), pa.large_string()),
    (pa.binary(), pa.large_binary(), pa.large_binary()),
    (pa.list_(pa.int8()), pa.list_(pa.int64()), pa.list_(pa.int64())),
    (pa.list_(pa.null()), pa.list_(pa.string()), pa.list_(pa.string())),
    (pa.list_(pa.int8()), pa.large_list(pa.int64()), pa.large_list(pa.int64())),
    (struct(a=pa.int8()), struct(a=pa.int64()), struct(a=pa.int64())),
    (struct(a=pa.int8()), struct(b=pa.string()), struct(a=pa.int8(), b=pa.string())),
    (
        struct(b=pa.string(), a=pa.null()),
        struct(a=pa.list_(struct(x=pa.int8()))),
        struct(b=pa.string(), a=pa.list_(struct(x=pa.int8()))),
    ),
    (struct(), struct(a=pa.int8()), struct(a=pa.int8())),
    (DICT, pa.string(), pa.string()),
    (DICT, pa.string_view(), pa.large_string()),
    (DICT, pa.dictionary(pa.int8(), pa.string()), DICT),
    (DICT, pa.dictionary(pa.int64(), pa.string()), pa.dictionary(pa.int64(), pa.string())),
    (DICT, pa.dictionary(pa.int32(), pa.string(), ordered=True), DICT),
    (DICT, pa.dictionary(pa.int32(), pa.large_string()), pa.large_string()),
]


@pytest.mark.parametrize(("a", "b", "expected"), WIDENINGS, ids=str)
def test_types_widen(a, b, expected):
    assert widen(a, b) == expected
    backwards = widen(b, a)
    assert backwards == expected or {f.name: f.type for f in backwards} == {f.name: f.type for f in expected}


EXCLUSIONS = [
    (pa.string(), pa.int64()),
    (pa.string(), pa.bool_()),
    (pa.bool_(), pa.int64()),
    (pa.string(), pa.binary()),
    (pa.uint64(), pa.int64()),
    (pa.int64(), pa.timestamp("s")),
    (pa.string(), pa.timestamp("s")),
    (pa.timestamp("s"), pa.timestamp("ms")),
    (pa.timestamp("s"), pa.timestamp("s", "UTC")),
    (pa.decimal128(5, 2), pa.float64()),
    (pa.decimal128(5, 2), pa.decimal128(5, 1)),
    (pa.list_(pa.string()), pa.string()),
    (pa.list_(pa.string()), pa.list_(pa.int64())),
    (struct(a=pa.string()), pa.string()),
    (struct(a=pa.string()), struct(a=pa.int64())),
    (struct(a=pa.list_(struct(b=pa.bool_()))), struct(a=pa.list_(struct(b=pa.int64())))),
    (DICT, pa.int64()),
    (DICT, pa.dictionary(pa.int32(), pa.int64())),
]


@pytest.mark.parametrize(("a", "b"), EXCLUSIONS, ids=str)
def test_types_that_would_lose_do_not_widen(a, b):
    assert widen(a, b) is None
    assert widen(b, a) is None


@pytest.mark.parametrize(("a", "b"), EXCLUSIONS, ids=str)
def test_two_files_with_types_that_exclude_each_other_are_named(a, b):
    with pytest.raises(InputError, match="column 'c' has one type in all inputs") as error:
        unify([("/in/x", columns(t=pa.string())), ("/in/a", columns(c=a)), ("/in/b", columns(c=b))])
    assert error.value.value == f"{a} in /in/a and {b} in /in/b"
    assert error.value.remedy == "Convert one of them, or leave that file out."


def test_columns_come_in_order_of_first_appearance():
    found = unify(
        [
            ("a", columns(x=pa.int8(), y=pa.null())),
            ("b", columns(z=pa.string(), y=pa.string(), x=pa.int16())),
            ("c", columns()),
        ]
    )
    assert found == columns(x=pa.int16(), y=pa.string(), z=pa.string())


def test_no_files():
    assert unify([]) == pa.schema([])


def test_one_file_keeps_nullability_and_metadata():
    schema = pa.schema([pa.field("a", pa.int8(), nullable=False, metadata={"m": "1"})], metadata={"k": "v"})
    assert unify([("a", schema)]).equals(schema, check_metadata=True)


def test_a_column_that_some_file_lacks_may_be_null():
    a = pa.schema([pa.field("a", pa.int8(), nullable=False)])
    b = pa.schema([pa.field("b", pa.struct([pa.field("x", pa.int8(), nullable=False)]), nullable=False)])
    c = pa.schema([pa.field("b", struct(y=pa.int8()))])
    found = unify([("a", a), ("b", b), ("c", c)])
    assert [field.nullable for field in found] == [True, True]
    assert [field.nullable for field in found.field("b").type] == [True, True]
    assert pa.array([{"y": 1}]).cast(found.field("b").type).to_pylist() == [{"x": None, "y": 1}]


@pytest.mark.parametrize(("second", "kept"), [({"k": "v"}, {b"k": b"v"}), ({"k": "w"}, None), (None, None)])
def test_metadata_is_kept_where_all_files_agree(second, kept):
    first = pa.schema([("a", pa.int8())], metadata={"k": "v"})
    assert unify([("a", first), ("b", pa.schema([("a", pa.int8())], metadata=second))]).metadata == kept


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(InputError, match="the columns of an input have different names") as error:
        unify([("/in/a", pa.schema([("x", pa.int8()), ("y", pa.int8()), ("x", pa.string())]))])
    assert error.value.value == "'x' twice in /in/a"


@pytest.mark.parametrize("index", [pa.int8(), pa.int16(), pa.uint8(), pa.int32()])
def test_dictionaries_have_room_for_the_values_of_all_files(index):
    narrow = pa.dictionary(index, pa.string())
    one = columns(d=narrow, s=struct(x=pa.list_(narrow)))
    wide = columns(d=DICT, s=struct(x=pa.list_(DICT)))
    assert unify([("a", one)]) == unify([("a", one), ("b", one)]) == wide
    assert unify([("a", columns(d=pa.dictionary(index, pa.string(), ordered=True)))]).field("d").type.ordered


def test_structs_without_fields_get_one_that_is_null():
    empty = columns(a=struct(), b=pa.list_(struct(x=struct())))
    placeholder = struct(_=pa.null())
    assert unify([("a", empty)]) == columns(a=placeholder, b=pa.list_(struct(x=placeholder)))
    full = columns(a=struct(k=pa.int64()))
    assert unify([("a", empty), ("b", full)]).field("a").type == struct(k=pa.int64())


def test_parts_of_one_file_that_exclude_each_other_have_the_first_type():
    parts = [columns(a=pa.null(), b=pa.int64()), columns(a=pa.string()), columns(a=pa.int64(), b=pa.bool_())]
    assert unify([("f", part) for part in parts]) == columns(a=pa.string(), b=pa.int64())
    with pytest.raises(InputError, match="string in f and int64 in g"):
        unify([("f", parts[1]), ("f", parts[2]), ("g", parts[2])])


def test_gathered_types_settle_at_every_depth():
    first = struct(x=pa.list_(struct(y=pa.int64())))
    second = struct(x=pa.list_(struct(y=pa.string(), z=pa.bool_())))
    third = struct(x=pa.list_(struct(y=pa.float64(), z=pa.list_(pa.null()))))
    gathered = gather(gather(first, second), third)
    settled = struct(x=pa.list_(struct(y=pa.float64(), z=pa.bool_())))
    assert unify([("f", columns(a=gathered))]) == columns(a=settled)


scalars = st.sampled_from([pa.null(), pa.bool_(), pa.int64(), pa.float64(), pa.string()])
kinds = st.recursive(
    scalars,
    lambda inner: (
        st.builds(pa.list_, inner)
        | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3).map(lambda fields: pa.struct(list(fields.items())))
    ),
    max_leaves=4,
)


def gather_all(found):
    kind = pa.null()
    for other in found:
        kind = gather(kind, other)
    return kind


@given(st.lists(kinds, max_size=6), st.lists(st.integers(0, 6), max_size=3))
def test_gathering_does_not_depend_on_portions(found, cuts):
    bounds = sorted([0, *(min(cut, len(found)) for cut in cuts), len(found)])
    portions = [gather_all(found[a:b]) for a, b in pairwise(bounds)]
    assert str(gather_all(portions)) == str(gather_all(found))


@given(kinds, kinds)
def test_gathering_is_widening_where_types_widen(a, b):
    widened = widen(a, b)
    if widened is not None:
        assert gather(a, b) == widened


@given(st.lists(kinds, min_size=1, max_size=5))
def test_gathering_twice_changes_nothing(found):
    once = gather_all(found)
    assert str(gather(once, once)) == str(gather_all([once, *found])) == str(once)
