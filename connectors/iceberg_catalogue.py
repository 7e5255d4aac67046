"""Iceberg catalogues as lakes: ``iceberg+sqlite:///PATH/catalog.db``, or ``iceberg:NAME`` of pyiceberg's configuration.

Nothing is written: a catalogue in SQLite is opened for reading only.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..hashing.errors import EngineError, InputError
from .listed_table import in_words

_SQLITE = "iceberg+sqlite:///"
_NAMED = "iceberg:"
_READING = {"mode": "ro", "uri": "true"}


def is_catalogue(lake: str) -> bool:
    """Whether an argument names a catalogue rather than files."""
    return lake.startswith((_SQLITE, _NAMED))


def need_pyiceberg(what: str) -> None:
    """Make sure that pyiceberg is there.

    Raises:
        EngineError: if it is not.
    """
    try:
        import pyiceberg.catalog.sql
        import pyiceberg.io.pyarrow  # noqa: F401
    except ImportError as error:
        raise EngineError(
            "Iceberg tables are read by the library pyiceberg",
            value=f"no {error.name}, for {what}",
            remedy="Install it: pip install 'tamis[lake]'.",
        ) from error


def faults() -> tuple[type[Exception], ...]:
    """Return what pyiceberg raises: it has no error that all others are."""
    import pyiceberg.exceptions
    from sqlalchemy.exc import SQLAlchemyError

    own = [kind for kind in vars(pyiceberg.exceptions).values() if isinstance(kind, type)]
    raised = tuple(kind for kind in own if issubclass(kind, Exception))
    plain = (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        NotImplementedError,
        OSError,
    )  # pyarrow's are ValueErrors
    return (*raised, *plain, SQLAlchemyError)


def catalogue_names(lake: str) -> tuple[str, ...]:
    """Return the names of the catalogues that an argument stands for: a database may hold several.

    Raises:
        InputError: if it is not there, or is no catalogue.
    """
    if not lake.startswith(_SQLITE):
        return (lake.removeprefix(_NAMED),)
    path = _database(lake)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT DISTINCT catalog_name FROM iceberg_tables ORDER BY 1").fetchall()
    except sqlite3.Error as error:
        raise _unreadable(lake, error) from error
    return tuple(str(row[0]) for row in rows)


@contextmanager
def open_catalogue(lake: str, name: str) -> Iterator[Any]:
    """Open one of the catalogues of an argument, a ``pyiceberg.catalog.Catalog``, for a while.

    Raises:
        EngineError: if pyiceberg is not installed.
        InputError: if it cannot be opened.
    """
    need_pyiceberg(lake)
    from pyiceberg.catalog import load_catalog
    from pyiceberg.catalog.sql import SqlCatalog
    from sqlalchemy import URL

    try:
        if lake.startswith(_SQLITE):
            place = URL.create("sqlite", database=f"file:{quote(str(_database(lake)))}", query=_READING)
            catalogue: Any = SqlCatalog(
                name, uri=place.render_as_string(), init_catalog_tables="false", **storage_settings(lake, name)
            )
        else:
            catalogue = load_catalog(name)
    except faults() as error:
        raise _unreadable(lake, error) from error
    with closing(catalogue):
        yield catalogue


def table_names(catalogue: Any, namespace: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the namespaces and name of each table of an open catalogue; not of views."""
    if namespace:
        yield from sorted(tuple(name) for name in catalogue.list_tables(namespace))
    for inner in sorted(tuple(name) for name in catalogue.list_namespaces(namespace)):
        if inner[: len(namespace)] == namespace and len(inner) > len(namespace):
            yield from table_names(catalogue, inner)


def storage_settings(lake: str, name: str) -> dict[str, Any]:
    """Return how to reach the storage of a catalogue's tables: what this machine's configuration says of it.

    So a worker needs the configuration of pyiceberg, and not the catalogue; secrets travel in no plan. A catalogue in
    SQLite has none: keys are found in the environment by Arrow, and an address and a region for S3 are taken from it.
    """
    if lake.startswith(_SQLITE):
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        found = {"s3.endpoint": os.environ.get("AWS_ENDPOINT_URL"), "s3.region": region}
        return {key: value for key, value in found.items() if value}
    from pyiceberg.utils.config import Config

    return dict(Config().get_catalog_config(name) or {})


def _database(lake: str) -> Path:
    """Return the file of a SQLite catalogue.

    As in SQLAlchemy, three slashes stand before a relative path and four before an absolute one. Three will do before
    an absolute one, where there is no relative one.
    """
    written = lake.removeprefix(_SQLITE)
    for path in (Path(written), Path("/", written)):
        if path.is_file():
            return path.resolve()
    raise InputError(
        "a catalogue exists",
        value=f"{lake}: no file {written} or /{written.lstrip('/')}",
        remedy="Check the path.",
    )


def _unreadable(lake: str, error: Exception) -> InputError:
    return InputError(
        "an Iceberg catalogue can be opened",
        value=f"{lake}: {in_words(error)}",
        remedy="Check the path, or pyiceberg's configuration.",
    )
