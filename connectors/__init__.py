"""Where data comes from and goes: files, splits, addresses. Nothing here knows what the data is for."""
