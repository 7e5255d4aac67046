"""Encoders and hashing heads: networks that turn texts into vectors and codes. Their libraries are loaded when used."""
