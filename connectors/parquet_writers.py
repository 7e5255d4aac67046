"""What is known of the programs that write Parquet files, and of their statistics.

A footer names its writer. Some writers cut long texts in bounds without a word, some have compared values in an order
that is not the format's. What is right is listed here, and the rest is not believed where it could matter:

- parquet-cpp-arrow leaves a bound out where it is too long, and never cuts it. Before 12 it took bounds of texts from
  dictionaries, with values that no row has, or from the first batch only, and miscounted nulls there
  (apache/arrow#42930, #10729, #15042, #34106). Its predecessor parquet-cpp also compared decimals wrongly (#42906).
- parquet-mr before 1.10 compared texts and unsigned integers as if they were signed (PARQUET-686).
- fastparquet takes bounds of categories in their own order, whatever that is; hyparquet stored bounds of decimals
  that are no numbers of theirs (hyparam/hyparquet-writer#38).
- Decimals of bytes have been compared as unsigned by many: ClickHouse (#83754), parquet-go (#592), Polars (#29347),
  arrow-rs (#1532).
"""

import re
from dataclasses import dataclass

_NAMED = re.compile(r"(\S+)(?: version v?(\d+)\.(\d+))?")

_ARROW = "parquet-cpp-arrow"
_ARROW_SINCE = (12, 0)
_JAVA_SINCE = (1, 10)
_WRONG = ("fastparquet-python", "hyparquet")


@dataclass(frozen=True)
class Writer:
    """What statistics of a writer are worth.

    Attributes:
        orders_signed: whether its bounds of signed numbers, times and booleans can be believed.
        orders_bytes: whether its bounds and counts of nulls of byte arrays can.
        orders_unsigned: whether its bounds of unsigned integers can.
        orders_decimals: whether its bounds of decimals that are stored as bytes can.
        never_cuts: whether its bounds of byte arrays are values of the column, also where no flag says so.
    """

    orders_signed: bool
    orders_bytes: bool
    orders_unsigned: bool
    orders_decimals: bool
    never_cuts: bool


def writer_of(created_by: str) -> Writer:
    """Return what is known of a writer.

    >>> writer_of("parquet-cpp-arrow version 20.0.0").never_cuts, writer_of("Polars").never_cuts
    (True, False)
    """
    found = _NAMED.match(created_by)
    name = found[1] if found else ""
    version = (int(found[2]), int(found[3])) if found and found[2] else (0, 0)
    if name == _ARROW:
        known = version >= _ARROW_SINCE
        return Writer(True, known, True, known, known)
    if name == "parquet-cpp":
        return Writer(True, False, False, False, False)
    if name == "parquet-mr":
        known = version >= _JAVA_SINCE
        return Writer(True, known, known, known, False)
    if name in _WRONG:
        return Writer(False, False, False, False, False)
    return Writer(True, True, True, name == "DuckDB", False)
