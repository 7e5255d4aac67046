import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tamis.hashing import errors
from tamis.hashing.errors import (
    ArtefactError,
    BadRowError,
    ConfigError,
    EngineError,
    InputError,
    LedgerError,
    LossAlarm,
    TamisError,
)
from tamis.hashing.lsh import Banding

# Documented exit codes: scripts rest on them.
EXIT_CODES = {
    TamisError: 1,
    ConfigError: 2,
    InputError: 3,
    BadRowError: 3,
    ArtefactError: 4,
    LedgerError: 5,
    LossAlarm: 6,
    EngineError: 7,
}


def test_the_tree_is_complete_and_documented():
    defined = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TamisError)}
    assert defined == set(EXIT_CODES)
    for kind, code in EXIT_CODES.items():
        line = next(line for line in errors.__doc__.splitlines() if kind.__name__ in line)
        assert kind is TamisError or line.split(kind.__name__)[1].split()[0] == str(code)


@pytest.mark.parametrize(("kind", "code"), EXIT_CODES.items())
def test_exit_codes(kind, code):
    assert kind.exit_code == code
    assert kind("r", value=1, remedy="m").exit_code == code


def test_the_tree():
    assert issubclass(BadRowError, InputError)
    for kind in EXIT_CODES.keys() - {TamisError, BadRowError}:
        assert kind.__bases__ == (TamisError,)
    assert TamisError.__bases__ == (Exception,)


def test_the_message_says_rule_value_and_remedy():
    error = ConfigError("a sketch has 1 to 4096 values", value=0, remedy="Change `values`.")
    assert str(error) == "a sketch has 1 to 4096 values; found 0. Change `values`."
    assert (error.rule, error.value, error.remedy) == ("a sketch has 1 to 4096 values", 0, "Change `values`.")


@pytest.mark.parametrize("kind", EXIT_CODES)
@pytest.mark.parametrize("value", [7, "two words", None, ["a", 1]])
def test_errors_survive_pickling_and_copying(kind, value):
    error = kind("a rule", value=value, remedy="A remedy.")
    for twin in (*(pickle.loads(pickle.dumps(error, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1)), copy.copy(error)):
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert (twin.rule, twin.value, twin.remedy) == ("a rule", str(value), "A remedy.")


def test_values_that_do_not_pickle_travel_as_text():
    error = InputError("a rule", value=lambda: None, remedy="A remedy.")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_errors_survive_a_process():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, pytest.raises(ConfigError) as caught:
        pool.submit(Banding, 0, 5).result()
    assert (caught.value.value, caught.value.exit_code) == ("0 x 5", 2)
