"""Reading shards for training: an order that ranks, workers and restarts do not change, with NumPy and Arrow alone."""

from .mixed import MixedReader
from .random_access import random_access
from .reader import ShardReader
from .torch_loader import loader

__all__ = ["MixedReader", "ShardReader", "loader", "random_access"]
