"""Tables that are inside other tables: finding them, and planning which of them need not be kept."""
