"""Kernels: bytes and arrays in, arrays out. Nothing here knows files, tables or engines."""
