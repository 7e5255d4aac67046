"""A verdict on a terminal: what became of a record, in sentences, and the two texts with their differences."""

import difflib
import re
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

from ..pipeline.counted import counted
from ..pipeline.explain import Comparison, Relative, Row, Verdict

CONTEXT = 12
"""Words shown around a difference."""

MOST_WORDS = 4_000
"""Words, spaces and marks of a text that are looked at for differences."""

MOST_CHARACTERS = 100_000
"""Characters of a text that are cut into words."""

LEAD = 400
"""Characters shown before the first difference of long texts."""

FOLLOWERS = 5
_BY_VECTORS = ("semantic", "select")
_WORD = re.compile(r"\s+|\w+|[^\w\s]")

Where = Callable[[int], str]

_STAYS = {
    "kept": " was kept.",
    "there already": " was there already (`against`): it is compared with, and neither removed nor written.",
    "not sampled": " was kept, and is not in the shards: the sample or the mixture did not take it.",
}
"""What is said of records that were not removed, by fate."""


def lines_of(verdict: Verdict, where: Where) -> Iterator[str]:
    """Yield sentences about a record.

    Args:
        verdict: what became of it.
        where: gives the place of an address.
    """
    place, known = where(verdict.address), verdict.row.get("id") or verdict.id
    name = f"{known} ({place})" if known else place
    if verdict.fate == "quarantined":
        detail = f": {verdict.row['detail']}" if verdict.row["detail"] else ""
        yield f"{name} was set aside: it broke the rule `{verdict.row['rule']}`{detail}."
        return
    if verdict.fate == "removed":
        nobody = _removed_for_nobody(verdict.row)
        if nobody:
            yield f"{name} was removed{nobody}."
            return
        yield from _removed_for_another(name, verdict, where)
    else:
        yield name + _STAYS[verdict.fate]
    yield from _cuts(verdict, where)
    yield from _relatives(verdict, where)
    yield from _followers(verdict, where)


def _removed_for_nobody(row: Row) -> str:
    """Say why a record went that has no copy among the records, or "" where it has one."""
    if row["stage"] == "decontaminate":
        item = f"item {row['keeper_id']} of {row['keeper_corpus']}"
        return f": it holds {row['similarity']:.0%} of the n-grams of {item}"
    if row["stage"] == "paragraphs":
        return ": nothing is left of it but paragraphs that other rows hold; edits/ names them"
    if row["stage"] == "bloom":
        return ": filters of an index take it for known, and cannot say what it is like"
    return "" if _has_keeper(row) else f" by a filter: it does not meet {row['reason']}"


def _removed_for_another(name: str, verdict: Verdict, where: Where) -> Iterator[str]:
    """Say what stays in a record's place, and what became of that."""
    row = verdict.row
    yield f"{name} was removed by the stage `{row['stage']}`{_alike(row['similarity'], row['stage'])}."
    yield f"In its place stays {_keeper(row, where)}."
    for further in verdict.chain:
        end = f"in the end, {_keeper(further, where)} stays" if _has_keeper(further) else "nothing of it stays"
        how = _alike(further["similarity"], further["stage"])
        yield f"  which the stage `{further['stage']}` removed later{how}: {end}."


def _followers(verdict: Verdict, where: Where) -> Iterator[str]:
    if verdict.follower_count:
        some = ", ".join(_name(f["id"], f["address"], where) for f in verdict.followers[:FOLLOWERS])
        more = verdict.follower_count - min(FOLLOWERS, len(verdict.followers))
        yield f"It stays in the place of {verdict.follower_count:,}: {some}{f' and {more:,} more' if more else ''}."


def _cuts(verdict: Verdict, where: Where) -> Iterator[str]:
    for cut in verdict.cuts:
        what = (
            f"a paragraph that {_name(cut['keeper_id'], cut['keeper_address'], where)} keeps"
            if _has_keeper(cut)
            else f"words of item {cut['keeper_id']} of {cut['keeper_corpus']}"
        )
        yield f"Bytes {cut['start']:,} to {cut['stop']:,} were cut out: {what}."
    if more := verdict.cut_count - len(verdict.cuts):
        yield f"And {counted(more, 'more cut')}; edits/ lists {'it' if more == 1 else 'them'}."


def _relatives(verdict: Verdict, where: Where) -> Iterator[str]:
    for relative in verdict.relatives:
        if relative.address == verdict.row.get("keeper_address"):
            continue
        name = f"{_name(relative.id, relative.address, where)}{_alike(relative.similarity)}"
        yield f"It is {'close in meaning to' if relative.semantic else 'like'} {name}, {_fate(relative, where)}."


def _fate(relative: Relative, where: Where) -> str:
    if relative.decision is None:
        return "which stays, too, and ranks below what stays in its place"
    if not _has_keeper(relative.decision):
        return f"which the stage `{relative.decision['stage']}` removed later"
    return f"which would have stayed in its place, but was itself removed for {_keeper(relative.decision, where)}"


def _has_keeper(row: Row) -> bool:
    return row["keeper_address"] is not None


def _alike(similarity: float | None, stage: str = "") -> str:
    what = "cosine of vectors" if stage in _BY_VECTORS else "similarity"
    return "" if similarity is None else f" ({what} {similarity:.4f})"


def _keeper(row: Row, where: Where) -> str:
    corpus = f", there already in {row['keeper_corpus']}" if row["keeper_corpus"] else ""
    return _name(row["keeper_id"], row["keeper_address"], where) + corpus


def _name(name: str | None, address: int, where: Where) -> str:
    return f"{name} ({where(address)})" if name else where(address)


def compared(comparison: Comparison) -> str:
    """Return a sentence about how two texts compare."""
    text = f"They share {comparison.shared:,} of {comparison.all:,} shingles: similarity {comparison.similarity:.4f}"
    if not comparison.of:
        return text + "."
    equal = "is equal" if len(comparison.bands) == 1 else "are equal"
    return text + f"; {len(comparison.bands)} of {counted(comparison.of, 'band')} {equal}, and one would do."


def differences(gone: str, kept: str) -> Text:
    """Return one text that shows two: what only the removed one has is struck, what only the kept one has underlined.

    Of long stretches the middle is left out; of long texts, what comes before their first difference.
    """
    start = _lead_start(gone, kept)
    first, second = (_WORD.findall(text, start, start + MOST_CHARACTERS) for text in (gone, kept))
    cut = max(len(first), len(second)) > MOST_WORDS or max(len(gone), len(kept)) - start > MOST_CHARACTERS
    first, second = first[:MOST_WORDS], second[:MOST_WORDS]
    shown = Text()
    if start:
        shown.append(f"... the first {counted(start, 'character')} are equal ...\n", "dim")
    for kind, i, j, k, m in difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind == "equal":
            shown.append(_shortened(first[i:j], at_start=i == 0, at_end=j == len(first)), "dim")
            continue
        if j > i:
            shown.append("[-" + _shortened(first[i:j]) + "-]", "red strike")
        if m > k:
            shown.append("{+" + _shortened(second[k:m]) + "+}", "green underline")
    if cut:
        shown.append("\n... and more, which is not shown.", "dim")
    return shown


def _lead_start(gone: str, kept: str) -> int:
    """Return where to begin to show two texts: at a word a little before they differ, or at 0 where they are short."""
    if max(len(gone), len(kept)) <= MOST_WORDS:
        return 0
    return gone.rfind(" ", 0, max(0, _shared_start(gone, kept) - LEAD)) + 1


def _shared_start(gone: str, kept: str) -> int:
    """Return how many characters two texts have in common before they differ."""
    low, high = 0, min(len(gone), len(kept))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if gone[low:middle] == kept[low:middle] else (low, middle - 1)
    return low


def _shortened(words: list[str], *, at_start: bool = False, at_end: bool = False) -> str:
    head, tail = 0 if at_start else 2 * CONTEXT, 0 if at_end else 2 * CONTEXT
    if len(words) <= head + tail + 4:
        return "".join(words)
    return "".join(words[:head]) + " ... " + "".join(words[len(words) - tail :])


def show(
    verdict: Verdict, where: Where, texts: tuple[str, str] | None, comparison: Comparison | None, console: Console
) -> None:
    """Print all that is known."""
    for number, line in enumerate(lines_of(verdict, where)):
        console.print(Text(line, "" if number else "bold"), soft_wrap=True)
    if comparison:
        console.print(compared(comparison), soft_wrap=True, highlight=False)
    if texts:
        console.print()
        if texts[0] == texts[1]:
            console.print(Text("The texts are equal.", "dim"))
        else:
            console.print("[red][strike][-removed-][/strike][/red] {+stays+}".replace("[-removed-]", r"\[-removed-]"))
            console.print(differences(*texts), soft_wrap=True)
