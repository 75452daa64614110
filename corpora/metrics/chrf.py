"""chrF of one text against another (Popović, WMT 2015)."""

from collections import Counter

_ORDER, _BETA = 6, 2.0  # as published and as sacrebleu has it


def chrf(text: str, reference: str) -> float:
    """Character n-gram F-score of ``text``, from 0 to 1; white space does not count.

    Precision and recall are averaged over the orders 1 to 6 that both texts have n-grams of, and recall counts twice.

    >>> chrf("the cat", "the cat")
    1.0
    """
    own, other = "".join(text.split()), "".join(reference.split())
    precisions: list[float] = []
    recalls: list[float] = []
    for order in range(1, min(_ORDER, len(own), len(other)) + 1):
        found, wanted = _ngrams(own, order), _ngrams(other, order)
        shared = sum((found & wanted).values())
        precisions.append(shared / sum(found.values()))
        recalls.append(shared / sum(wanted.values()))
    if not any(precisions):
        return 0.0
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)


def _ngrams(text: str, order: int) -> Counter[str]:
    return Counter(text[i : i + order] for i in range(len(text) - order + 1))
