"""Hard links from the two directions' posteriors."""

import numpy as np

SYMMETRISATIONS = ("posterior", "intersection", "union", "grow-diag-final-and")
_NEIGHBOURS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))

Links = tuple[tuple[int, int], ...]


def symmetrise(forward: np.ndarray, backward: np.ndarray, method: str) -> Links:
    """Links (source word, target word), sorted.

    Args:
        forward: p(source word made this target word), (n_source_words, n_target_words); columns sum to at most 1.
        backward: p(target word made this source word), likewise; rows sum to at most 1.
        method: ``posterior``: the geometric mean is at least one half. Otherwise both directions first choose their
            best counterpart where it is likelier than none, and ``intersection``, ``union`` or
            ``grow-diag-final-and`` (Koehn, Och and Marcu, NAACL 2003, section 4.5) joins them.

    >>> import numpy as np
    >>> p = np.array([[0.9, 0.1], [0.1, 0.8]])
    >>> symmetrise(p, p, "posterior")
    ((0, 0), (1, 1))
    """
    if method == "posterior":
        # Rounded, so that sums in another order can't tip a link over the edge.
        return _sorted(np.round(np.sqrt(forward * backward), 5) >= 0.5)
    a, b = _best(forward.T).T, _best(backward)
    if method == "intersection":
        return _sorted(a & b)
    if method == "union":
        return _sorted(a | b)
    return _sorted(_grow(a, b))


def _best(posterior: np.ndarray) -> np.ndarray:
    # Row by row the best column, if it is likelier than no counterpart at all.
    rounded = np.round(posterior, 5)
    out = np.zeros(rounded.shape, dtype=bool)
    best = rounded.argmax(axis=1)
    rows = np.arange(len(rounded))
    out[rows, best] = rounded[rows, best] > 1.0 - rounded.sum(axis=1)
    return out


def _grow(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    links: np.ndarray = a & b
    union = a | b
    grew = True
    while grew:
        grew = False
        for i, j in zip(*np.nonzero(links), strict=True):
            for di, dj in _NEIGHBOURS:
                y, x = i + di, j + dj
                if not (0 <= y < links.shape[0] and 0 <= x < links.shape[1]) or links[y, x] or not union[y, x]:
                    continue
                if not links[y].any() or not links[:, x].any():
                    links[y, x] = grew = True
    for direction in (a, b):
        for i, j in zip(*np.nonzero(direction), strict=True):
            if not links[i].any() and not links[:, j].any():
                links[i, j] = True
    return links


def _sorted(matrix: np.ndarray) -> Links:
    return tuple((int(i), int(j)) for i, j in zip(*np.nonzero(matrix), strict=True))
