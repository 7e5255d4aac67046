"""Settings of mixtures: all are told of, and what they cannot be."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tamis.pipeline.mixing.settings import MixingSettings

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "mix.md"


def test_the_page_has_every_setting():
    table = PAGE.read_text("utf-8").partition("## Settings")[2]
    lacking = [name for name in MixingSettings.model_fields if f"`{name}`" not in table]
    assert lacking == ["budget", "max_epochs"]  # options of their own
    assert [name for name, field in MixingSettings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 1.1}, {"one_in": 0}, {"steps": 0}, {"updates": 0}])
def test_what_cannot_be(wrong):
    with pytest.raises(ValidationError):
        MixingSettings.model_validate(wrong)
