import re

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.pipeline.blocking.rule_values import FUNCTIONS, Values, column_values, sliced

COLUMN = ["Straße  12, ABC", "", None, "Müller-Lüdenscheid 2011-05-04", "19991231", "...", "+49 (30) 12"]


def listed(values):
    texts = values.texts.to_pylist()
    assert values.bounds[-1] == len(texts)
    return [texts[a:b] for a, b in zip(values.bounds, values.bounds[1:], strict=False)]


def applied(name, column, *numbers):
    return listed(FUNCTIONS[name].apply(column_values(pa.array(column, pa.large_string())), *numbers))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "lower",
            [["strasse  12, abc"], [], [], ["müller-lüdenscheid 2011-05-04"], ["19991231"], ["..."], COLUMN[-1:]],
        ),
        ("plain", [["strasse 12 abc"], [], [], ["müller lüdenscheid 2011 05 04"], ["19991231"], [], ["49 30 12"]]),
        (
            "words",
            [
                ["strasse", "12", "abc"],
                [],
                [],
                ["müller", "lüdenscheid", "2011", "05", "04"],
                ["19991231"],
                [],
                ["49", "30", "12"],
            ],
        ),
        ("first", [["strasse"], [], [], ["müller"], ["19991231"], [], ["49"]]),
        ("last", [["abc"], [], [], ["04"], ["19991231"], [], ["12"]]),
        ("digits", [["12"], [], [], ["20110504"], ["19991231"], [], ["493012"]]),
        ("year", [[], [], [], ["2011"], ["1999"], [], []]),
        ("soundex", [["S362"], [], [], ["M464"], [], [], []]),
    ],
)
def test_functions_by_hand(name, expected):
    assert applied(name, COLUMN) == expected


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("in 1987, or 1990", ["1987"]),
        ("12345", []),
        ("20111331", []),
        ("20111231", ["2011"]),
        ("3000 999", []),
        ("1987/2001", ["1987"]),
        ("v2019x", ["2019"]),
    ],
)
def test_years(text, year):
    assert applied("year", [text]) == [year]


def test_ngrams():
    assert applied("ngrams", ["Ab-Cd", "x", "", None, "é中"], 3) == [["ab ", "b c", " cd"], ["x"], [], [], ["é 中"]]


def test_functions_of_functions():
    words = FUNCTIONS["words"].apply(column_values(pa.array(["Ab cd", "ef"], pa.large_string())))
    assert listed(FUNCTIONS["ngrams"].apply(words, 1)) == [["a", "b", "c", "d"], ["e", "f"]]
    assert listed(FUNCTIONS["last"].apply(words)) == [["ab", "cd"], ["ef"]]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    st.lists(st.lists(st.text("aé中", min_size=1, max_size=6), max_size=3), max_size=5),
    st.none() | st.integers(-7, 7),
    st.none() | st.integers(-7, 7),
)
def test_slices_are_those_of_python(rows, start, stop):
    bounds = np.cumsum([0, *map(len, rows)])
    values = Values(bounds, pa.array([text for row in rows for text in row], pa.large_string()))
    expected = [[text[start:stop] for text in row if text[start:stop]] for row in rows]
    assert listed(sliced(values, start, stop)) == expected


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.none() | st.text("aB1-\u0661 é", max_size=8), max_size=5))
def test_digits_and_words_of_anything(column):
    ascii_digits = [re.sub("[^0-9]", "", text or "") for text in column]
    assert applied("digits", column) == [[digits] if digits else [] for digits in ascii_digits]
    words, plain = applied("words", column), applied("plain", column)
    assert plain == [[" ".join(row)] if row else [] for row in words]
    assert applied("first", column) == [row[:1] for row in words]
    assert applied("last", column) == [row[-1:] for row in words]
