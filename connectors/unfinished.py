"""How files are named until they are whole."""

UNFINISHED = ".unfinished"
"""Ending of files that are not complete; a run that goes on deletes those it finds."""
