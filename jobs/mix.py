"""A mixture, from its sources to a finished output folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..pipeline.engine import Progress
from ..pipeline.state import SUCCESS, OutputFolder, begin_anew, check_place, write_atomically
from .engine_options import EngineOptions
from .progress import Silent

if TYPE_CHECKING:
    from ..pipeline.mixing.run import Question

MIXTURE = "mixture.yaml"


def mix_sources(asked: "Question", out: Path, on: EngineOptions, *, progress: Progress | None = None) -> dict[str, Any]:
    """Weigh sources, and write ``mixture.yaml``, ``mix.json`` and ``mix.html``.

    Args:
        asked: what to weigh, and how.
        out: a new or empty folder.
        on: what it runs on.
        progress: told about steps.

    Returns:
        what ``mix.json`` holds.

    Raises:
        InputError: a source cannot be read, or what is given does not fit the sources.
        ConfigError: sources hold less than the budget, or the folder holds something.
    """
    from ..pipeline.mixing.mixture_of import as_mixture, write_weights
    from ..pipeline.mixing.page import write_page
    from ..pipeline.mixing.run import weigh
    from .engines import engine_on

    check_place(str(out), asked.inputs)
    begin_anew(out)
    place, told = OutputFolder(out, "mix"), progress or Silent()
    with place.claim():
        engine = engine_on(on, place.work, told)
        try:
            found, report = weigh(engine, asked, place.work, told)
        finally:
            engine.close()
        write_weights(out / MIXTURE, found, as_mixture(found, max_epochs=asked.settings.max_epochs))
        write_page(out, report)
        place.drop_work()
        write_atomically(out / SUCCESS, "")
    return report
