"""The rows of a parallel, derived or code-switched set: readers, languages, links, and their steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

from spanferry.corpora.errors import ConfigError, InputError, nearest
from spanferry.corpora.filters.base import signature_of
from spanferry.corpora.filters.sets import row_filters
from spanferry.corpora.multiway import Direction
from spanferry.corpora.readers.multiway import ParallelReader, open_parallel
from spanferry.corpora.signature import Signature
from spanferry.corpora.text.languages import same_language
from spanferry.flows import models
from spanferry.flows.engine.step import Step
from spanferry.flows.sets.config import AlignConfig, RowsConfig
from spanferry.flows.sets.work import AlignRows, FitAligner, JoinRows, ReadInput, unfitted
from spanferry.flows.version import VERSION
from spanferry.projectors.base import FittableAligner


@dataclass(frozen=True)
class SetPlan:
    """The rows of a set.

    Attributes:
        rows: Where they come from.
        align: How words are linked.
        min_languages: How many cells a row needs.
        pairs: Which languages are linked.
    """

    rows: RowsConfig
    align: AlignConfig
    min_languages: int
    pairs: Literal["pivot", "all", "none"]

    @cached_property
    def readers(self) -> list[ParallelReader]:
        """The readers of all inputs, in order; a run has one for each of its languages."""
        rows = self.rows
        if not rows.inputs:
            raise InputError(
                "no input", hint="--input RUN_DIRECTORY, --input en=FILE --input es=FILE, or --input FILE.tmx"
            )
        return [
            reader
            for entry in rows.inputs
            for reader in open_parallel(
                entry, format=rows.format, options=rows.options, shared_ids=rows.shared_span_ids
            )
        ]

    @cached_property
    def reader_signatures(self) -> list[Signature]:
        """What is read, asked once: the content is hashed for it."""
        return [Signature.of(reader.signature) for reader in self.readers]

    @cached_property
    def found(self) -> tuple[str, ...]:
        """The languages of the inputs, in order of appearance."""
        return tuple(dict.fromkeys(lang for reader in self.readers for lang in reader.languages))

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The set's languages, in order: those chosen, else those of the inputs.

        Raises:
            ConfigError: A chosen language that no input has.
            InputError: The inputs have one language only, where a set needs two.
        """
        found = self.found
        chosen = tuple(same_language(lang, found) for lang in self.rows.languages)
        for lang in chosen:
            if lang not in found:
                close = nearest(lang, found, 1)
                hint = f"did you mean {close[0]!r}?" if close else "--input LANG=FILE adds one"
                raise ConfigError(f"no input has the language {lang!r}", valid=found, hint=hint)
        if len(chosen or found) < min(2, self.min_languages):
            raise InputError(
                f"all inputs together have one language, {found[0]!r}", hint="--input LANG=FILE adds another"
            )
        return chosen or found

    @cached_property
    def directions(self) -> tuple[Direction, ...]:
        """The pairs of languages whose words are linked."""
        if self.pairs == "none":
            models.refuse_set(self.align, "no words are linked", name="align", except_for=("pairs",))
            return ()
        every = combinations(self.languages, 2)
        return tuple((a, b) for a, b in every if self.pairs == "all" or a == self.languages[0])

    @cached_property
    def aligner_signature(self) -> Signature:
        """What links the words."""
        return Signature.of(unfitted(self.align).signature)

    @cached_property
    def signature(self) -> Signature:
        """Every choice that makes the rows and their links, as it stands in report and card."""
        pairs = "+".join(f"{a}-{b}" for a, b in self.directions)
        links = f"{self.aligner_signature}.{pairs}.fit{self.align.fit_rows}" if self.directions else "none"
        return Signature.of(*self.reader_signatures, self._joining, ("links", links))

    @cached_property
    def _joining(self) -> Signature:
        rows, filters = self.rows, row_filters(self.rows.filters)
        return Signature.of(
            ("join", rows.join),
            ("languages", "+".join(self.languages)),
            ("min", self.min_languages),
            ("filters", signature_of(filters)) if filters else "",
            ("limit", rows.limit or "none"),
            ("version", VERSION),
        )

    @cached_property
    def joined(self) -> Step:
        """The step that joins the rows of all inputs."""
        size = self.rows.shard_rows
        inputs = tuple(
            Step(f"input{k}", Signature.of(signature, ("shard", size)), ReadInput(reader, size), scope="read")
            for k, (reader, signature) in enumerate(zip(self.readers, self.reader_signatures, strict=True))
        )
        places = tuple(
            str(getattr(reader, "path", signature))
            for reader, signature in zip(self.readers, self.reader_signatures, strict=True)
        )
        work = JoinRows(self.rows, self.languages, self.min_languages, places)
        return Step("rows", Signature.of(self._joining, ("shard", size)), work, inputs, "read")

    @cached_property
    def linked(self) -> Step:
        """The step whose rows have their word links; the joined rows where nothing is linked."""
        if not self.directions:
            return self.joined
        key = Signature.of(("links", f"{self.aligner_signature}.fit{self.align.fit_rows}"))
        fits: Sequence[Step] = ()
        if isinstance(unfitted(self.align), FittableAligner):
            fits = [self._fit(key, direction) for direction in self.directions]
        else:
            why = f"the aligner {self.align.aligner!r} learns nothing"
            models.refuse_set(self.align, why, name="align", except_for=("aligner", "options", "pairs"))
        of = ("of", "+".join(f"{a}-{b}" for a, b in self.directions))
        return Step("align", Signature.of(key, of), AlignRows(self.align, self.directions), (self.joined, *fits))

    def _fit(self, key: Signature, direction: Direction) -> Step:
        name = "-".join(direction)
        work = FitAligner(self.align, direction)
        return Step(f"fit-{name}", Signature.of(key, ("of", name)), work, (self.joined,), "whole")
