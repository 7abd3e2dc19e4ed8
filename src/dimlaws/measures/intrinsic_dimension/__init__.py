"""Estimators of intrinsic dimension, and the exact neighbour search that they share."""

from dimlaws.measures.intrinsic_dimension.mle import MLE
from dimlaws.measures.intrinsic_dimension.neighbors import Neighbors, nearest_neighbors
from dimlaws.measures.intrinsic_dimension.twonn import TwoNN

__all__ = ["MLE", "Neighbors", "TwoNN", "nearest_neighbors"]
