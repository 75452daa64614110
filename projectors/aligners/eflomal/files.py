"""What the eflomal command reads and writes: texts, priors and links."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from spanferry.corpora.errors import MissingExtraError, ModelError
from spanferry.corpora.text.abjad import bare
from spanferry.translators.bundled.priors import PriorTable

_COMMAND = "eflomal-align"
# What a link in a prior table counts beside one in the corpus. Of 0, 0.2 and 1 the best on Europarl es, xSID de and zh.
_TABLE_SHARE = 0.2
Words = Sequence[str]


def find_command() -> list[str]:
    """The command, beside this interpreter or on the path.

    Raises:
        MissingExtraError: It is not installed.
    """
    beside = Path(sys.executable).with_name(_COMMAND)
    found = str(beside) if beside.exists() else shutil.which(_COMMAND)
    if not found:
        raise MissingExtraError.of("eflomal", "eflomal", "the aligner 'eflomal'")
    return [found]


def tokens(words: Iterable[str]) -> list[str]:
    """The words as the command takes them: as prior tables have them, none empty, none with white space inside."""
    return ["_".join(bare(word).split()) or "_" for word in words]


class Votes:
    """How often each pair of words was linked, by direction, over the runs on one set of sentence pairs.

    Args:
        shapes: Words of both sides of every pair.
    """

    def __init__(self, shapes: Sequence[tuple[int, int]]) -> None:
        self.shapes = np.asarray(shapes, dtype=np.int64).reshape(-1, 2)
        self.starts = np.concatenate([[0], np.cumsum(self.shapes.prod(axis=1))])
        self.counts = np.zeros((2, int(self.starts[-1])), dtype=np.uint8)

    def add(self, direction: int, links: bytes) -> None:
        """Counts the links of one run: a line for each pair, ``0-0 1-2``.

        Raises:
            ValueError: The number of lines is not that of the pairs.
        """
        text = np.frombuffer(links, dtype=np.uint8)
        ends = np.flatnonzero(text == ord("\n"))
        if len(ends) != len(self.shapes):
            raise ValueError(f"{len(ends)} lines of links for {len(self.shapes)} pairs")
        row = np.searchsorted(ends, np.flatnonzero(text == ord("-")))
        numbers = np.fromstring(links.replace(b"-", b" ").decode(), dtype=np.int64, sep=" ").reshape(-1, 2)
        cells = self.starts[row] + numbers[:, 0] * self.shapes[row, 1] + numbers[:, 1]
        self.counts[direction] += np.bincount(cells, minlength=self.counts.shape[1]).astype(np.uint8)

    def of(self, pair: int) -> np.ndarray:
        """uint8 (2, n_source_words, n_target_words) of one pair."""
        n, m = self.shapes[pair]
        return self.counts[:, self.starts[pair] : self.starts[pair + 1]].reshape(2, n, m)


def run(
    command: Sequence[str], pairs: Sequence[tuple[Words, Words]], priors: str, folder: Path, *, runs: int, model: int
) -> Votes:
    """Runs the command ``runs`` times over the same pairs.

    Args:
        command: See ``find_command``.
        pairs: Tokens of both sides, at least one each.
        priors: In the command's format; may be empty.
        folder: An empty folder: the command refuses to overwrite a file.
        runs: How often.
        model: 1, 2 or 3.

    Raises:
        ModelError: The command failed.
    """
    for side, name in enumerate(("source", "target")):
        text = "".join(" ".join(pair[side]) + "\n" for pair in pairs)
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
    fixed = [*command, "--model", str(model), "-s", str(folder / "source"), "-t", str(folder / "target")]
    if priors:
        (folder / "priors").write_text(priors, encoding="utf-8")
        fixed += ["-p", str(folder / "priors")]
    votes = Votes([(len(source), len(target)) for source, target in pairs])
    for number in range(runs):
        files = [folder / f"{direction}.{number}" for direction in ("forward", "backward")]
        done = subprocess.run(
            [*fixed, "-f", str(files[0]), "-r", str(files[1])], capture_output=True, text=True, check=False
        )
        try:
            if done.returncode:
                raise ValueError(f"exit status {done.returncode}")
            for direction, file in enumerate(files):
                votes.add(direction, file.read_bytes())
                file.unlink()
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{_COMMAND} failed, {error}: {done.stderr.strip()[-300:]}",
                hint="use the aligner 'lexical', which needs no command",
            ) from error
    return votes


def table_priors(table: PriorTable, pairs: Sequence[tuple[Words, Words]]) -> str:
    """Lines of a prior table for the words of ``pairs``: a fifth of its expected link counts as pseudo-counts."""
    seen = [{word for pair in pairs for word in pair[side]} for side in (0, 1)]
    known = [
        np.array([word in words for word in listed], dtype=bool)
        for listed, words in ((table.source_words, seen[0]), (table.target_words, seen[1]))
    ]
    if not len(table.counts):
        return ""
    wanted = np.flatnonzero(known[0][table.source_ids] & known[1][table.target_ids])
    sources, targets = table.source_ids[wanted].tolist(), table.target_ids[wanted].tolist()
    return "".join(
        f"LEX\t{table.source_words[s]}\t{table.target_words[t]}\t{count:.4g}\n"
        for s, t, count in zip(sources, targets, (_TABLE_SHARE * table.counts[wanted]).tolist(), strict=True)
    )


def corpus_priors(pairs: Sequence[tuple[Words, Words]], votes: Votes, runs: int) -> str:
    """Lines that carry over to other texts what the links of a corpus say: word pairs, jumps and fertilities.

    The counts of the command's own ``eflomal-makepriors``, averaged over the runs.
    """
    lexical: Counter[tuple[str, str]] = Counter()
    jumps: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    fertile: tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]] = (Counter(), Counter())
    for k, (source, target) in enumerate(pairs):
        counted = votes.of(k)
        for i, j in zip(*np.nonzero(counted[0]), strict=True):
            lexical[source[i], target[j]] += int(counted[0, i, j])
        # In each direction every word goes to one word of the other side at most: the likeliest over the runs.
        for way, made, makers in ((0, counted[0].T, source), (1, counted[1], target)):
            at, maker = -1, makers
            chosen = [int(row.argmax()) for row in made if 2 * row.max() >= runs]
            for place in chosen:
                jumps[way][place - at] += 1
                at = place
            jumps[way][len(maker) - at] += 1
            for place, times in Counter(chosen).items():
                fertile[way][maker[place], times] += 1
    lines = [f"LEX\t{s}\t{t}\t{n / runs:.4g}" for (s, t), n in sorted(lexical.items())]
    for name, fertility in zip(("FERF", "FERR"), fertile, strict=True):
        lines += [f"{name}\t{word}\t{times}\t{n}" for (word, times), n in sorted(fertility.items())]
    for name, jump in zip(("HMMF", "HMMR"), jumps, strict=True):
        lines += [f"{name}\t{step}\t{n}" for step, n in sorted(jump.items())]
    return "".join(line + "\n" for line in lines)
