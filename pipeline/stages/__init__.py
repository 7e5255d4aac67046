"""The stages of a run: each takes the rows under way, and hands on fewer, or the same where it was not asked for."""
