"""The assignment of rows to columns with the greatest summed weight."""

import numpy as np


def best_assignment(weights: np.ndarray) -> list[tuple[int, int]]:
    """As many (row, column) pairs as the shorter side has, no row or column twice, with the greatest summed weight.

    Shortest augmenting paths, one row at a time (Jonker and Volgenant, Computing 38, 1987, without their initial
    reductions). O(rows² x columns), the innermost loop in numpy.

    Args:
        weights: (n_rows, n_columns), finite.

    Returns:
        The pairs, by row.

    >>> import numpy as np
    >>> best_assignment(np.array([[0.9, 0.8, 0.1], [0.9, 0.2, 0.1]]))
    [(0, 1), (1, 0)]
    """
    if weights.shape[0] > weights.shape[1]:
        return sorted((row, column) for column, row in best_assignment(weights.T))
    costs = -weights.astype(np.float64)
    n, m = costs.shape
    row_price, column_price = np.zeros(n), np.zeros(m)
    owner = np.full(m, -1)  # row that holds each column
    for row in range(n):
        distance, came_from = np.full(m, np.inf), np.full(m, -1)
        open_, at, reached, least = np.ones(m, dtype=bool), row, -1, 0.0
        while True:
            through = least + costs[at] - row_price[at] - column_price
            better = open_ & (through < distance)
            distance[better], came_from[better] = through[better], at
            reached = int(np.where(open_, distance, np.inf).argmin())
            least = distance[reached]
            if owner[reached] < 0:
                break
            open_[reached], at = False, owner[reached]
        passed = np.flatnonzero(~open_)
        row_price[row] += least
        row_price[owner[passed]] += least - distance[passed]
        column_price[passed] -= least - distance[passed]
        while True:
            previous = int(came_from[reached])
            held = np.flatnonzero(owner == previous)
            owner[reached] = previous
            if previous == row:
                break
            reached = int(held[0])
    return sorted((int(owner[column]), int(column)) for column in np.flatnonzero(owner >= 0))
