"""The stage of near copies: candidates share a band, pairs are verified, rows are decided in rank order."""

from dataclasses import replace

from ..candidates import Candidates, candidates
from ..config import Near
from ..engine import Table
from ..near import decide_near, unverified
from ..running import Running
from ..similarity import PAIRS, Evidence, measure_pairs
from ..underway import Underway
from .old_texts import OldTexts, old_texts


def drop_near(running: Running, rows: Underway) -> Underway:
    """Take out the rows that are nearly better-ranked ones.

    Raises:
        ArtefactError: inputs of similar old rows are gone or have changed, and that was refused.
    """
    near = running.config.near
    if near is None or running.mode != "insert-kept":
        return rows
    with running.step("candidates"):
        met = _met(near, rows)
    if near.verify == "none":
        pairs = met.pairs.map(unverified, PAIRS).save("pairs")
    else:
        with running.step("verify", readings=1):
            pairs = _verified(running, near, rows, met.pairs).save("pairs")
    with running.step("decide"):
        drops = decide_near(pairs, rows=rows.ranked_rows).save("near_drops")
    return replace(rows, pairs=pairs, capped_rows=met.capped_rows).without("near", drops)


def _met(near: Near, rows: Underway) -> Candidates:
    """Return the rows that share a band; of old ones, those that keep anything."""
    bands, recalled = rows.documents.select("address", "bands"), rows.recalled
    if recalled is None:
        return candidates(bands, rows.left, max_anchors=near.max_anchors, references=rows.old_rows)
    bands = bands.union(recalled.bands)
    found = candidates(bands, rows.left, max_anchors=near.max_anchors, references=rows.old_rows)
    gone = rows.ranked.select("address", better="row").join(recalled.gone, on=["address"], how="semi")
    pairs = found.pairs.join(gone.select("better"), on=["better"], how="anti").save("compared")
    return replace(found, pairs=pairs)


def _verified(running: Running, near: Near, rows: Underway, met: Table) -> Table:
    """Return the pairs that are as similar as asked for."""
    inputs = running.inputs
    old = OldTexts(met) if rows.recalled is None else old_texts(running, rows, met)
    evidence = Evidence(inputs.text, running.prepared.plan, near.verify == "sketch")
    return measure_pairs(
        inputs,
        old.pairs,
        rows.ranked,
        evidence=evidence,
        threshold=near.threshold,
        old=old.parts,
    )
