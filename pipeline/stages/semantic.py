"""The stage of rows that are alike in meaning."""

from dataclasses import replace

from ..near import decide_near
from ..running import Running
from ..underway import Underway


def drop_alike(running: Running, rows: Underway) -> Underway:
    """Take out the rows whose vectors are nearly those of better-ranked ones."""
    stage = running.config.semantic
    if stage is None:
        return rows
    from ..semantic.stage import STAGE, alike  # most runs do without

    with running.step("semantic", readings=1):
        found = alike(
            running.engine,
            rows.compared,
            stage=stage,
            encoder=running.prepared.encoders[STAGE],
            read=running.inputs.texts,
            text=running.inputs.text,
            work=running.folder.work,
            seed=running.config.seed,
            references=rows.old_rows_read,
            once=running.config.exact,
        )
        drops = decide_near(found.pairs, rows=rows.ranked_rows).save("semantic_drops")
    return replace(rows, semantic_pairs=found.pairs).found(semantic=found.facts).without(STAGE, drops)
