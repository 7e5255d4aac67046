"""Tests of this folder start Spark; ``make test-spark`` runs them, ``make test-faults`` those that kill."""

import pytest


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name == "spark":
            item.add_marker(pytest.mark.faults if item.path.stem == "test_faults" else pytest.mark.spark)
