"""Entity blocking: pairs of records worth comparing, from any blocker as one kind of table, and how good they are."""
