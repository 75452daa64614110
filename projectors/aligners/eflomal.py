"""The eflomal aligner, run as a command: statistics of the whole batch, by sampling."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from corpora.errors import ConfigError, MissingExtraError, ModelError
from corpora.words import word_strings, words
from projectors.aligners.symmetrise import SYMMETRISATIONS, symmetrise
from projectors.base import Alignment, ProjectionInput

_COMMAND = "eflomal-align"


class EflomalAligner:
    """Östling and Tiedemann's (PBML 2016) sampler, several runs averaged into probabilities.

    It learns from what it is given, so give it a whole corpus at once: a shard of a hundred sentences aligns badly.
    It seeds itself from the system's random device: two runs on the same input differ, and so does whatever is built
    on it. The signature says so. GPL-3, hence an extra, and a command rather than a library here.

    Args:
        runs: Runs to average; more of them differ less.
        model: 1 (IBM model 1), 2 (with a hidden Markov model) or 3 (with fertility).
        symmetrisation: See ``projectors.aligners.symmetrise``.

    Raises:
        ConfigError: An option out of range.
        MissingExtraError: The command is not installed.
    """

    def __init__(self, runs: int = 4, model: int = 3, symmetrisation: str = "posterior") -> None:
        if runs < 1 or model not in (1, 2, 3):
            raise ConfigError(f"runs = {runs}, model = {model}", valid="runs >= 1, model 1, 2 or 3", hint="runs = 4")
        if symmetrisation not in SYMMETRISATIONS:
            raise ConfigError(
                f"unknown symmetrisation {symmetrisation!r}", valid=SYMMETRISATIONS, hint="leave it out for posterior"
            )
        self.runs, self.model, self.symmetrisation = runs, model, symmetrisation
        self._command = _find_command()

    @property
    def signature(self) -> str:
        """``eflomal.model<n>.runs<n>.unseeded|sym:<name>``: unseeded, so the same signature is not the same bytes."""
        return f"eflomal.model{self.model}.runs{self.runs}.unseeded|sym:{self.symmetrisation}"

    def align(self, inputs: Sequence[ProjectionInput]) -> list[Alignment]:
        """One alignment per input. Reasons: ``empty_source``, ``empty_target``.

        Raises:
            ModelError: The command failed.
        """
        ranges = [
            (item.source_words or words(item.source_text), item.target_words or words(item.target_text))
            for item in inputs
        ]
        groups: dict[tuple[str, str], list[int]] = {}
        out: list[Alignment | None] = [None] * len(inputs)
        for k, item in enumerate(inputs):
            source, target = ranges[k]
            if source and target:
                groups.setdefault((item.source_lang, item.target_lang), []).append(k)
            else:
                reason = "empty_target" if source else "empty_source"
                out[k] = Alignment(source, target, np.zeros((len(source), len(target)), np.float32), reason=reason)
        for members in groups.values():
            lines = [
                (_line(inputs[k].source_text, ranges[k][0]), _line(inputs[k].target_text, ranges[k][1]))
                for k in members
            ]
            votes = [np.zeros((2, len(ranges[k][0]), len(ranges[k][1]))) for k in members]
            for _ in range(self.runs):
                self._run(lines, votes)
            for k, vote in zip(members, votes, strict=True):
                forward, backward = vote / self.runs
                both = np.sqrt(forward * backward).astype(np.float32)
                out[k] = Alignment(*ranges[k], both, symmetrise(forward, backward, self.symmetrisation))
        return [alignment for alignment in out if alignment is not None]

    def _run(self, lines: Sequence[tuple[str, str]], votes: Sequence[np.ndarray]) -> None:
        # A fresh folder each time: the command refuses to overwrite.
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for side, file in enumerate(("source", "target")):
                (folder / file).write_text("".join(line[side] + "\n" for line in lines), encoding="utf-8")
            arguments = ["--model", str(self.model)]
            for option, file in (("-s", "source"), ("-t", "target"), ("-f", "forward"), ("-r", "backward")):
                arguments += [option, str(folder / file)]
            done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, check=False)
            if done.returncode:
                raise ModelError(
                    f"{_COMMAND} failed with exit status {done.returncode}: {done.stderr.strip()[-300:]}",
                    hint="use the aligner 'lexical', which needs no command",
                )
            for direction, file in enumerate(("forward", "backward")):
                found = (folder / file).read_text(encoding="utf-8").splitlines()
                for vote, line in zip(votes, found, strict=True):
                    for link in line.split():
                        i, _, j = link.partition("-")
                        vote[direction, int(i), int(j)] += 1.0


def _line(text: str, ranges: Sequence[tuple[int, int]]) -> str:
    # White space inside a given token would make two of it, and an empty line stops the command.
    return " ".join("_".join(word.lower().split()) or "_" for word in word_strings(text, ranges))


def _find_command() -> list[str]:
    beside = Path(sys.executable).with_name(_COMMAND)
    found = str(beside) if beside.exists() else shutil.which(_COMMAND)
    if not found:
        raise MissingExtraError.of("eflomal", "eflomal", "the aligner 'eflomal'")
    return [found]
