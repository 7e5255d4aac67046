"""The chart of recall: where its corners are."""

import re

import pytest

from tamis.pipeline.blocking.recall_chart import recall_chart

WIDTH, LEFT, TOP, HEIGHT = 400, 58, 12, 188  # of the part between the axes


def curve(pairs, recall, by="rank"):
    band = {"low": [max(0, share - 0.1) for share in recall], "high": [min(1, share + 0.1) for share in recall]}
    return {"by": by, "cuts": list(range(1, len(pairs) + 1)), "pairs": pairs, "recall": recall} | band


def paths(drawn, kind):
    return [
        [tuple(map(float, corner.split())) for corner in re.split("[ML]", d.replace(" Z", ""))[1:]]
        for d in re.findall(rf'<path class="{kind} s\d" d="([^"]*)"', drawn)
    ]


def test_by_hand():
    drawn = str(recall_chart([("one", curve([10, 100, 1000], [0.2, 0.4, 1.0]))], 100, "Recall"))
    (corners,) = paths(drawn, "curve")
    x = [LEFT, LEFT + WIDTH / 2, LEFT + WIDTH]
    y = [TOP + HEIGHT * (1 - share) for share in (0.2, 0.4, 1.0)]
    expected = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[2], y[1]), (x[2], y[2])]
    assert corners == [pytest.approx(corner, abs=0.051) for corner in expected]
    (band,) = paths(drawn, "band")
    assert len(band) == 10
    assert f'<line class="mark" x1="{x[1]:.1f}" y1="{TOP}.0" x2="{x[1]:.1f}"' in drawn
    assert re.findall(r'<text class="tick"[^>]*>([^<]*)<', drawn) == [
        "0%", "20%", "40%", "60%", "80%", "100%", "10", "20", "50", "100", "200", "500", "1k",
    ]  # fmt: skip
    assert "one, rank 2: 40.00% (30.00% to 50.00%) with 100 pairs" in drawn


def test_the_axis_begins_where_curves_do():
    drawn = str(recall_chart([("one", curve([1000, 3000], [0.88, 0.9]))], 100, "Recall"))
    assert re.findall(r'<text class="tick"[^>]*>([^<]*)<', drawn)[:6] == ["75%", "80%", "85%", "90%", "95%", "100%"]
    assert 'class="mark"' not in drawn
    assert paths(drawn, "curve")[0][0] == pytest.approx((LEFT, TOP + HEIGHT * 0.48), abs=0.051)


def test_one_point_and_many():
    one = str(recall_chart([("one", curve([1], [1.0]))], 1, "Recall"))
    assert paths(one, "curve") == [[(LEFT, TOP)]]
    assert one.count("<circle") == 1
    many = str(recall_chart([("a", curve(list(range(1, 41)), [0.5] * 40)), ("<b>", curve([5], [0.1]))], 1, "Recall"))
    assert many.count("<circle") == 1
    assert "&lt;b&gt;" in many
    assert "<b>" not in many
