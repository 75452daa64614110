"""Batches for the training of the bundled aligner: sentence pairs joined into texts of three lengths, masked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spanferry.projectors.bundled.texts import END, MASK, PAD, SPECIALS, START

# Pieces of a text with its specials, and how often: single sentences and short texts as well as long ones.
ROOMS = ((32, 0.45), (64, 0.35), (128, 0.2))
_ALONE = 0.15  # how often a short text ends after each sentence although another one would fit
_BALANCE = 0.5  # a language is drawn by this power of its size
_MASKED = 0.1
_MOST_MASKED = 0.08  # of a batch, padding included: the number is the same in every batch of a room
_SHOWN = 0.2  # masked pieces that are left as they are
_MOVED = 0.5  # texts that do not begin at the first position: long texts must not be new to the model
_POSITIONS = 384

# The arrays of ``spanferry.projectors.bundled.texts.encode``.
Numbers = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Batch:
    """Arguments of ``Network.forward``, and the pieces that are not padding and no specials."""

    pieces: np.ndarray
    start: np.ndarray
    sure: np.ndarray
    seen: np.ndarray
    supervised: np.ndarray
    masked: np.ndarray
    wanted: np.ndarray
    count: int


def stream(data: Mapping[str, Numbers], pieces: int, seed: Sequence[int]) -> Iterator[Batch]:
    """Batches of about ``pieces`` pieces of both sides, padding included, without end; all texts have the same room."""
    rng = np.random.default_rng(seed)
    waiting: dict[int, list[tuple[str, list[int]]]] = {room: [] for room, _ in ROOMS}
    for language, members, room in _texts(data, rng):
        waiting[room].append((language, members))
        if len(waiting[room]) * 2 * room >= pieces:
            yield _batch(data, waiting[room], room, rng)
            waiting[room] = []


def _texts(data: Mapping[str, Numbers], rng: np.random.Generator) -> Iterator[tuple[str, list[int], int]]:
    """Language, numbers of the pairs that are joined, and room."""
    languages = sorted(data)
    lengths = {name: [np.diff(data[name][f"offsets{side}"]) for side in (0, 1)] for name in languages}
    share = np.array([lengths[name][1].sum() for name in languages], dtype=np.float64) ** _BALANCE
    share /= share.sum()
    order: dict[str, Iterator[int]] = {name: iter(()) for name in languages}
    held: dict[str, int] = {}
    longest = ROOMS[-1][0] - 2

    def draw(name: str) -> int:
        while True:
            number = next(order[name], None)
            if number is None:
                order[name] = iter(rng.permutation(len(lengths[name][0])).tolist())
            elif max(side[number] for side in lengths[name]) <= longest:
                return number

    while True:
        name = languages[rng.choice(len(languages), p=share)]
        room = int(rng.choice([room for room, _ in ROOMS], p=[chance for _, chance in ROOMS]))
        members: list[int] = []
        filled = np.zeros(2, dtype=np.int64)
        while True:
            number = held.pop(name) if name in held else draw(name)
            size = np.array([side[number] for side in lengths[name]])
            if (filled + size).max() > room - 2:
                if members:
                    held[name] = number
                    break
                room = next(wider for wider, _ in ROOMS if size.max() <= wider - 2)
            members.append(number)
            filled += size
            if room == ROOMS[0][0] and rng.random() < _ALONE:
                break
        yield name, members, room


def _batch(
    data: Mapping[str, Numbers], texts: Sequence[tuple[str, list[int]]], room: int, rng: np.random.Generator
) -> Batch:
    n = len(texts)
    pieces = np.full((2 * n, room), PAD, dtype=np.int64)
    sure, seen = np.zeros((n, room, room), dtype=bool), np.zeros((n, room, room), dtype=bool)
    supervised = np.zeros((2 * n, room), dtype=bool)
    for row, (language, members) in enumerate(texts):
        own = data[language]
        pieces[[row, n + row], 0] = START
        a, b = 1, 1
        possible = np.zeros((room, room), dtype=bool)
        for number in members:
            left, right = (slice(*own[f"offsets{side}"][number : number + 2]) for side in (0, 1))
            c, d = a + left.stop - left.start, b + right.stop - right.start
            pieces[row, a:c], pieces[n + row, b:d] = own["pieces0"][left], own["pieces1"][right]
            places = np.ix_(own["words0"][left], own["words1"][right])
            linked, doubtful = (_matrix(own, kind, number, places) for kind in ("sure", "possible"))
            sure[row, a:c, b:d], possible[a:c, b:d] = linked, doubtful
            supervised[row, a:c] = linked.any(axis=1) | ~doubtful.any(axis=1)
            supervised[n + row, b:d] = linked.any(axis=0) | ~doubtful.any(axis=0)
            a, b = c, d
        pieces[row, a], pieces[n + row, b] = END, END
        seen[row, 1:a, 1:b] = ~possible[1:a, 1:b]
    start = (rng.random((2 * n, 1)) < _MOVED) * rng.integers(0, _POSITIONS - room, (2 * n, 1))
    real = pieces >= len(SPECIALS)
    chosen = np.flatnonzero((rng.random(pieces.shape) < _MASKED) & real)[: int(pieces.size * _MOST_MASKED)]
    wanted = np.full(max(8, int(pieces.size * _MOST_MASKED)), -100, dtype=np.int64)
    masked = np.zeros(len(wanted), dtype=np.int64)
    masked[: len(chosen)], wanted[: len(chosen)] = chosen, pieces.ravel()[chosen]
    pieces.ravel()[chosen[rng.random(len(chosen)) >= _SHOWN]] = MASK
    return Batch(pieces, start, sure, seen, supervised, masked, wanted, int(real.sum()))


def _matrix(own: Numbers, kind: str, number: int, places: tuple[np.ndarray, ...]) -> np.ndarray:
    """The links of a pair, from words to pieces."""
    links = own[kind][slice(*own[f"{kind}_offsets"][number : number + 2])].astype(np.int64)
    tall, wide = (int(place.max(initial=-1)) + 1 for place in places)
    table = np.zeros((tall, wide), dtype=bool)
    inside = links[(links[:, 0] < tall) & (links[:, 1] < wide)]
    table[inside[:, 0], inside[:, 1]] = True
    found: np.ndarray = table[places]
    return found
