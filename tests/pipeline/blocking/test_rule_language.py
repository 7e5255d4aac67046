import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.pipeline.blocking.rule_language import Call, Column, Slice, Term, check_column, column_of, parse_rule
from tamis.pipeline.blocking.rule_values import FUNCTIONS


def written(part):
    """Return a part of a rule as it may be written."""
    if isinstance(part, Column):
        return "`" + part.name.replace("`", "``") + "`"
    if isinstance(part, Slice):
        start, stop = ("" if end is None else end for end in (part.start, part.stop))
        return f"{written(part.of)}[ {start}:{stop}]"
    return f"{part.function}({', '.join([written(part.of), *map(str, part.numbers)])} )"


def without_positions(part):
    if isinstance(part, Column):
        return part.name
    if isinstance(part, Slice):
        return without_positions(part.of), part.start, part.stop
    return part.function, without_positions(part.of), part.numbers


END = st.none() | st.integers(-99, 99)
PARTS = st.recursive(
    st.builds(Column, st.text("ab `(&é", min_size=1), st.just(1)),
    lambda of: (
        st.builds(Slice, of, END, END)
        | st.builds(Call, st.sampled_from(sorted(FUNCTIONS.keys() - {"ngrams"})), of, st.just(()))
        | st.builds(Call, st.just("ngrams"), of, st.tuples(st.integers(1, 16)))
    ),
    max_leaves=4,
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.tuples(PARTS, PARTS), min_size=1, max_size=3))
def test_what_is_written_is_read_again(terms):
    text = " & ".join(f"{written(left)} = {written(right)}" for left, right in terms)
    found = parse_rule(text)
    assert found.text == text
    some = [(without_positions(term.left), without_positions(term.right)) for term in found.terms]
    assert some == [(without_positions(left), without_positions(right)) for left, right in terms]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text("ab`()[]:,&=- 19é", max_size=12))
def test_anything_else_is_a_clear_error(text):
    error = None
    try:
        parse_rule(text)
    except ConfigError as raised:
        error = raised
    assert error is None or (f"of {text!r}" in error.value and error.remedy)


def test_a_rule_by_hand():
    found = parse_rule("name[:3] & ngrams(`full title`, 4)[-2:] & zip = postcode")
    name, title = Column("name", 1), Column("full title", 19)
    assert found.terms == (
        Term(Slice(name, None, 3), Slice(name, None, 3)),
        Term(Slice(Call("ngrams", title, (4,)), -2, None), Slice(Call("ngrams", title, (4,)), -2, None)),
        Term(Column("zip", 43), Column("postcode", 49)),
    )
    assert [column_of(term.right).name for term in found.terms] == ["name", "full title", "postcode"]


@pytest.mark.parametrize(
    ("text", "found", "remedy"),
    [
        ("", "the end, at character 1 of ''", "There must be a column or a function."),
        ("name &", "the end, at character 7 of 'name &'", "There must be a column or a function."),
        ("wrds(title)", "no function 'wrds', at character 1", "Did you mean 'words'?"),
        ("xxxx(title)", "no function 'xxxx', at character 1", "There are lower, plain, words"),
        ("words(title", "the end, at character 12", "There must be ')'."),
        ("words(title, 3)", "',', at character 12", "There must be ')'."),
        ("name[:3 & year", "'&', at character 9", "There must be ']'."),
        ("name[3]", "']', at character 7", "There must be ':'."),
        ("a b", "'b', at character 3", "There must be '&', '=', '[' or the end."),
        ("a = b = c", "'=', at character 7", "There must be '&', '=', '[' or the end."),
        ("ngrams(title)", "')', at character 13", "There must be ','."),
        ("ngrams(title, 17)", "no number from 1 to 16, at character 15", "Mend it."),
        ("ngrams(title, x)", "no number from 1 to 16, at character 15", "Mend it."),
        ("name[:1234567890]", "1234567890, which is too long, at character 7", "Mend the number."),
        ("birth-date", "'-', at character 6", "in backquotes"),
        ("a & `b", "'`', at character 5", "in backquotes"),
        ("x" * 1001, "1,001", "Write several rules, or shorter ones."),
    ],
)
def test_errors_say_where(text, found, remedy):
    with pytest.raises(ConfigError) as error:
        parse_rule(text)
    assert found in str(error.value.value)
    assert remedy in error.value.remedy


def test_a_column_that_is_not_there():
    rule = parse_rule("year & lower(nmae)[:3]")
    check_column(rule, rule.terms[0].left, ["name", "year"], "left")
    with pytest.raises(ConfigError) as error:
        check_column(rule, rule.terms[1].left, ["name", "year"], "left")
    assert error.value.value == "no column 'nmae' in the left table, at character 14 of 'year & lower(nmae)[:3]'"
    assert error.value.remedy == "Did you mean 'name'?"
    with pytest.raises(ConfigError, match="Its columns are a, b"):
        check_column(rule, rule.terms[1].left, ["a", "b"], "right")
