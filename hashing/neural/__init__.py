"""Vectors of texts by an encoder, and codes of vectors by a trained head; only making them needs PyTorch."""
