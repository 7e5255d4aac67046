"""The blockers by name."""

from .lexical import LEXICAL, lexical_search
from .options import Options
from .search import Search
from .sides import Sides


def prepare(name: str, sides: Sides, options: Options) -> Search:
    """Prepare a blocker of some records.

    Raises:
        ConfigError: its options cannot be.
    """
    if name == LEXICAL:
        return lexical_search(sides.left, sides.right, options.top_k, ngrams=options.ngrams)
    raise KeyError(name)
