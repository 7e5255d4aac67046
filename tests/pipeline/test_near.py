import pytest
from chains import ORDERS, as_pairs, chain, decided

from tamis.jobs.local import LocalEngine
from tamis.pipeline.near import decide_near


@pytest.mark.parametrize("order", ORDERS)
def test_a_chain_of_a_million_rows(tmp_path, order):
    engine = LocalEngine(tmp_path, threads=2)
    pairs = chain(order, 1_000_000)
    drops = decide_near(engine.table(pairs), rows=1_000_000).collect()
    engine.close()
    assert as_pairs(drops) == decided(pairs)
