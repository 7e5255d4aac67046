"""The reference pages say what the code says."""

import runpy
from pathlib import Path

import pytest
import yaml

from tamis.pipeline.config import Pipeline, make_config

ROOT = Path(__file__).parents[1]
REFERENCE = runpy.run_path(str(ROOT / "docs" / "reference.py"))
PAGES = REFERENCE["pages"]()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_up_to_date(path):
    assert path.read_text(encoding="utf-8").splitlines() == PAGES[path].splitlines(), "run `make docs`"


@pytest.mark.parametrize("model", [Pipeline, *REFERENCE["SECTIONS"]], ids=lambda model: model.__name__)
def test_every_setting_has_a_meaning(model):
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_every_section_is_on_the_page():
    sections = {model.__name__ for model in REFERENCE["SECTIONS"]}
    assert sections == {*Pipeline.model_json_schema()["$defs"], "KeepPolicy", "SourceShare"}


def test_the_defaults_are_a_configuration():
    blocks = PAGES[ROOT / "docs" / "configuration.md"].split("```yaml\n")[1:]
    shortest, written_out = (make_config(yaml.safe_load(block.split("```")[0])) for block in blocks)
    assert shortest == written_out
