"""The stage of texts inside others."""

from ...hashing.sketch import sketch_plan
from ..candidates import candidates
from ..config import Contained
from ..contained import SAMPLES, STAGE, Sampling
from ..engine import Table
from ..near import decide_near
from ..running import Running
from ..similarity import Evidence, measure_pairs
from ..underway import Underway


def drop_contained(running: Running, rows: Underway) -> Underway:
    """Take out the rows that lie inside better-ranked ones."""
    stage = running.config.contained
    if stage is None:
        return rows
    with running.step("contained", readings=2):
        pairs = _pairs(running, stage, rows).save("contained_pairs")
        drops = decide_near(pairs, rows=rows.ranked_rows).save("contained_drops")
    return rows.without(STAGE, drops)


def _pairs(running: Running, stage: Contained, rows: Underway) -> Table:
    """Return the pairs of which the worse row is inside the better one, as far as asked for."""
    inputs, shingle = running.inputs, stage.shingle
    plan = sketch_plan(values=8, unit=shingle.unit, shingle=shingle.size, seed=running.config.seed)
    samples = inputs.all_texts().map(Sampling(inputs.text, plan, stage.one_in), SAMPLES).save("samples")
    old_rows = rows.old_rows_read
    met = candidates(samples, rows.compared, max_anchors=stage.max_anchors, references=old_rows, prefix="contained_")
    return measure_pairs(
        inputs,
        met.pairs,
        rows.ranked,
        evidence=Evidence(inputs.text, plan, False, contained=True),
        threshold=stage.threshold,
    )
