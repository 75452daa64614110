"""Counting the pieces of each language in the training text."""

import numpy as np

from spanferry.translators.bundled.pieces import count_pieces


def test_each_language_is_counted_by_its_targets(tmp_path):
    vocabulary = ["</s>", ">>es<<", ">>de<<", "▁a", "▁b", "▁c"]
    np.savez(
        tmp_path / "train.npz",
        source=np.array([1, 3, 0, 2, 4, 0, 1, 5, 0], np.int16),
        source_offsets=np.array([0, 3, 6, 9]),
        target=np.array([3, 3, 4, 5, 3], np.int16),
        target_offsets=np.array([0, 2, 4, 5]),
    )
    assert count_pieces(tmp_path / "train.npz", vocabulary, "es") == {"▁a": 3}
    assert count_pieces(tmp_path / "train.npz", vocabulary, "de") == {"▁b": 1, "▁c": 1}
