"""Which rows to train on: the most representative ones of each group, or no more than so many of each leaf."""
