import pytest

from tamis.hashing.errors import ArtefactError, InputError
from tamis.hashing.refusals import Refusals


class PanicException(BaseException):
    pass


@pytest.mark.parametrize("kind", [Exception, ValueError, PanicException])
def test_what_a_library_refuses_is_said_in_our_words(kind):
    said = r"a text is one; found text 3: too long\. Use another tokenizer file"
    with pytest.raises(InputError, match=said), Refusals("a text is one", "text 3"):
        raise kind("too long")
    other = Refusals("a file is whole", "here", ArtefactError, "Make it again.")
    with pytest.raises(ArtefactError, match="Make it again"), other:
        raise kind("cut off")


@pytest.mark.parametrize("kind", [KeyError, OSError, KeyboardInterrupt])
def test_other_errors_pass(kind):
    with pytest.raises(kind), Refusals("a text is one", "text 3"):
        raise kind("mine")


def test_nothing_refused_is_nothing_raised():
    with Refusals("a text is one", "text 3"):
        pass
