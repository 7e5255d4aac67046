"""Character tables of the text profiles, built from the Unicode Character Database by ``build.py``."""
