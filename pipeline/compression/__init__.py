"""Few items that stand for a whole benchmark: chosen from the answers of some models, judged on others."""
