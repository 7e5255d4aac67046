from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.pipeline.layout import Layout, plan_layout

MB = 2**20


def test_a_small_corpus_is_one_file_of_eight_groups():
    assert plan_layout(18_568, 15_500_674, target_bytes=256 * MB, group_bytes=64 * MB) == Layout(18_568, 1, 8, 2304)


def test_nothing_is_an_empty_tail():
    layout = plan_layout(0, 0, target_bytes=256 * MB, group_bytes=64 * MB)
    assert (layout.rows, layout.files, layout.groups, layout.tail_rows) == (0, 1, 0, 0)


def test_counts_of_files_have_many_divisors():
    counts = {plan_layout(10**7, size * MB, target_bytes=MB, group_bytes=MB).files for size in range(1, 1000)}
    assert sorted(counts) == [1, 2, 4, 6, 12, 24, 48, 96, 192, 384, 768, 1536][: len(counts)]


def test_names():
    layout = Layout(1, 4, 8, 31)
    assert [layout.name(i) for i in (0, 3, 4)] == [
        "part-00000-of-00004.parquet",
        "part-00003-of-00004.parquet",
        "tail.parquet",
    ]


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**10), st.integers(1, 10**9), st.integers(1, 10**8))
def test_every_layout_keeps_its_promises(rows, size, target, group):
    layout = plan_layout(rows, size, target_bytes=target, group_bytes=group)
    assert rows == layout.files * layout.groups * layout.group_rows + layout.tail_rows
    assert 0 <= layout.tail_rows < layout.files * layout.group_rows
    assert layout.files <= max(1, rows)
    assert size <= layout.files * target or 2 * layout.files > rows
    assert (layout.groups > 0) == (rows > 0)
    if rows >= 8 * layout.files:
        assert layout.groups >= 8
    if layout.group_rows >= layout.groups and rows >= 64 * layout.files:
        assert layout.groups & (layout.groups - 1) == 0 or layout.groups // 3 & (layout.groups // 3 - 1) == 0
