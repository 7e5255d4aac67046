import pytest

from tamis.hashing.errors import ConfigError
from tamis.hashing.neural.settings import TrainSettings


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch": 1}, "batch"),
        ({"bits": -1}, "bits"),
        ({"hardest": 0}, "hardest"),
        ({"layers": -1}, "layers"),
        ({"bits": 0, "layers": 0}, "an encoder or a head"),
        ({"ratio": 1.0}, "ratio"),
        ({"radius": 0.0}, "radius"),
        ({"radius": 1.0, "ratio": 2.0}, "below 2"),
        ({"code_radius": 0.5, "code_ratio": 4.0}, "below 2"),
        ({"balance": -0.1}, "balance"),
        ({"rate": float("nan")}, "rate"),
        ({"warm_up": 1.0}, "warm_up"),
        ({"hidden": (0,)}, "hidden"),
        ({"sharpness": (2.0, 1.0)}, "sharpness"),
        ({"calibration_shape": (5.0, 0.0)}, "calibration_shape"),
        ({"threads": 0}, "threads"),
        ({"text": "all"}, "text"),
        ({"binarise": "hard"}, "binarise"),
        ({"precision": "int8"}, "precision"),
    ],
)
def test_settings_that_cannot_be(wrong, match):
    with pytest.raises(ConfigError, match=match):
        TrainSettings(**{"encoder": "x", **wrong})


def test_margins_of_vectors_of_any_length():
    assert TrainSettings("x", normalise=False, radius=5.0, ratio=3.0).radius == 5.0
