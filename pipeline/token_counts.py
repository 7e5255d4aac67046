"""How many tokens the rows to write have, by each declared tokenizer: of texts as they will be written."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..connectors.address import ADDRESS
from ..hashing.tokenizer import Tokenizer
from .edits import CUTS, cut
from .engine import Table
from .mixture import TOKENS
from .text_column import text_buffers


def counts_schema(tokenizers: tuple[Tokenizer, ...]) -> pa.Schema:
    """Return the columns of counts: ``address`` and ``tokens_NAME`` for each tokenizer."""
    return pa.schema([("address", pa.int64()), *((TOKENS + item.name, pa.int64()) for item in tokenizers)])


@dataclass(frozen=True)
class Counting:
    """Counts the tokens of records; plain data.

    Attributes:
        text: the column.
        tokenizers: what to count by.
    """

    text: str
    tokenizers: tuple[Tokenizer, ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the counts of records that were read, perhaps with what is cut out of them."""
        column = batch.column(self.text)
        data, offsets = cut(column, batch.column(CUTS)) if CUTS in batch.schema.names else text_buffers(column)
        counts = [item.count(data, offsets) if len(column) else np.zeros(0, np.int64) for item in self.tokenizers]
        columns = [batch.column(ADDRESS), *map(pa.array, counts)]
        return pa.RecordBatch.from_arrays(columns, schema=counts_schema(self.tokenizers))


def with_counts(
    read: Callable[[Table, str], Table],
    kept: Table,
    cuts: Table | None,
    *,
    text: str,
    tokenizers: tuple[Tokenizer, ...],
) -> Table:
    """Return rows with ``tokens_NAME`` for each tokenizer.

    Args:
        read: gives the texts of rows, from (address, ...) and a name; with these columns beside the text.
        kept: rows with ``address``.
        cuts: (address, ``__cuts``) of those that are not written whole, or None.
        text: the column of texts.
        tokenizers: what to count by.
    """
    wanted = kept.select("address")
    if cuts is not None:
        wanted = wanted.join(cuts, on=["address"], how="left")
    counted = read(wanted, "counted").map(Counting(text, tokenizers), counts_schema(tokenizers))
    return kept.join(counted.save("token_counts"), on=["address"])
