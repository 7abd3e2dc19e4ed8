"""How wide a sum-pooled embedding of a set must be (Wang et al. 2023, arXiv:2307.04001)."""


def jacobian_rank(width: int, set_size: int, features: int) -> int:
    """Return the rank min(L, N D) of the derivative of a set's embedding by its elements.

    It holds for N elements of D features in general position and L units in random directions.
    Linear + power (LP) layers have L = N K units, N powers z, ..., z^N of the projection z on each
    of K directions: the N derivatives of one direction span its N projections (a Vandermonde
    matrix of distinct z), and K directions give N min(K, D) of them.
    """
    return min(width, set_size * features)


def smallest_power_width(set_size: int, features: int) -> int:
    """Return N (D + 1): with fewer units no LP layer tells all sets apart.

    D directions leave open which projections belong to the same element: at L = N D, the sets that
    share an embedding come in groups of N!^(D - 1).
    """
    return set_size * (features + 1)
