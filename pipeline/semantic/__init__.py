"""Texts that mean the same: vectors of documents, which of them are alike, and what goes for it."""
