"""Label Studio's JSON export: what people made of the tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from spanferry.corpora.columns import field_of, is_label_studio_key
from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.common.base import BadRow, Draft, FileReader, Note, bad_row
from spanferry.corpora.readers.common.json_values import Unreadable, dump_raw, parse_items, parse_values
from spanferry.corpora.readers.common.rows import RowKeys, row_to_example
from spanferry.corpora.readers.common.text import BLANK, read_lines
from spanferry.corpora.readers.label_studio.regions import (
    HYPERTEXT,
    LABELS,
    Shown,
    is_dialogue,
    region_range,
    same_text,
    shown,
)
from spanferry.corpora.readers.label_studio.results import label_of, minimal_row, region_labels, sort_results
from spanferry.corpora.schema import Example
from spanferry.corpora.text.offsets import Unit

_OURS, _SOURCE = "spanferry", "source_"
_TASK = {"data", "annotations", "completions", "predictions"}  # keys of a task


@dataclass(frozen=True)
class LabelStudioReader(FileReader):
    """Reads a Label Studio JSON export (tasks with ``data`` and ``annotations``).

    Of several annotations the ground truth counts, else the one updated last; cancelled ones don't. Regions become
    spans, what people chose or wrote for a region the span's own, relations relations, a choice for the task the label
    (several of them go to ``meta``). Regions of HTML lie in the text without its tags, by their ``globalOffsets``;
    paragraphs of a dialogue become lines. JSON-MIN and the ``completions`` of old releases are read too; a region
    that can't be placed, or of another type, makes a bad row, ``unread_labels``. Tasks that our writer made get their
    id, language and split back. A task that nobody annotated is a bad row, ``not_annotated``.
    The file is one JSON value and is held in memory.

    Attributes:
        predictions: Takes the predictions of tasks without an annotation: what nobody corrected stays as it was.
        fields: Keys of ``data`` that hold the texts, named like the tags; empty: those that regions name, else all
            texts that our writer wrote, else ``text``.
        offsets: What ``start`` and ``end`` count: code points; ``utf16`` for releases of Label Studio before 1.5.
        encoding: Encoding of the file.
    """

    name: ClassVar[str] = "label_studio"

    predictions: bool = False
    fields: tuple[str, ...] = ()
    offsets: Unit = "codepoint"
    encoding: str = "utf-8"

    def _rows(self) -> Iterator[Draft | BadRow | Note]:
        text = "\n".join(line for _, line in read_lines(self.path, self.encoding)).strip(BLANK)
        pages = f'"{HYPERTEXT}"' in text
        for number, task in enumerate(self._tasks(text), 1):
            where = f"{self.path}: task {number}"
            if isinstance(task, Unreadable):
                yield bad_row(task.error, str(number), where, task.raw, self.rows_split)
                continue
            data = task.get("data") if isinstance(task, Mapping) else None
            ours = data.get(_OURS) if isinstance(data, Mapping) else None
            ours = ours if isinstance(ours, Mapping) else {}
            name = str(ours.get("id") or (task.get("id") if isinstance(task, Mapping) else None) or number)
            split = self.rows_split
            if self.split == "auto" and ours.get("split"):
                split = ours["split"]
            notes: list[Note] = []
            made = partial(self._made, task, ours, name, number, split, notes, pages)
            yield Draft(name, where, partial(dump_raw, task), split, made)
            yield from notes

    def _tasks(self, text: str) -> Iterator[Any]:
        hint = "export as JSON or JSON-MIN (not CSV or CONLL)"
        try:
            if text.startswith("["):
                yield from parse_items(text, self.encoding)
                return
            tasks = [task for task, _, _ in parse_values(text, self.encoding)]
        except RowError as error:
            raise InputError(error.message, where=str(self.path), hint=hint) from error
        if not all(isinstance(t, Unreadable) or (isinstance(t, Mapping) and _TASK & set(t)) for t in tasks):
            kind = type(tasks[0]).__name__
            raise InputError(f"a JSON {kind}", where=str(self.path), valid="a list of tasks", hint=hint)
        yield from tasks

    def _made(
        self, task: Any, ours: Mapping[str, Any], name: str, number: int, split: str, notes: list[Note], pages: bool
    ) -> Example:
        keys = RowKeys(offsets=self.offsets)
        if not isinstance(task, Mapping):
            raise RowError("bad_task", "a task has no 'data'", where=name)
        data = task.get("data")
        if data is None and not _TASK & set(task):
            return row_to_example(minimal_row(task, self.fields), keys, number=number, lang=self.lang, split=split)
        if not isinstance(data, Mapping):
            raise RowError("bad_task", "a task has no 'data'", where=name)
        result = sort_results(self._chosen(task, name), name)
        fields = self._fields(data, ours, result.regions, name)
        # Our writer's key of a field may be another than its name.
        named = {key: field_of(key, is_label_studio_key) if ours else key for key in fields}
        for kind, regions in result.others.items():
            if not result.regions or any(str(r.get("to_name")) in named for r in regions):
                raise RowError(
                    "unread_labels",
                    f"{len(regions)} region(s) of the type {kind!r}, which is not read",
                    where=name,
                    valid="labels, hypertextlabels, paragraphlabels, relation, choices",
                    hint="a project with the tags <Text> and <Labels>, or remove these regions",
                )
            notes.append(Note(f"regions of the type {kind!r} are left out: they are not in a text"))
        html = {str(r.get("to_name")) for r in result.regions if r.get("type") == HYPERTEXT}
        plain = {str(r.get("to_name")) for r in result.regions if r.get("type") == LABELS}
        if html - set(named) or (pages and not html):
            html |= set(fields) - plain
        views = {key: shown(data.get(key), key in html, self.offsets, name) for key in fields}
        spans = [
            span | _attributes(region, ours)
            for region in result.regions
            for span in self._spans(region, views, named, name)
        ]
        for span in spans:
            span.update(result.by_region.get(span["id"].partition(".")[0], {}))
        label, kept = label_of(result.of_task, ours)
        if kept:
            notes.append(Note(f"{', '.join(kept)}: kept in meta, not as the label of the text"))
        row = {
            "id": name,
            "lang": ours.get("lang"),
            "texts": {named[key]: view.text for key, view in views.items()},
            "spans": spans,
            "relations": result.relations,
            "label": label,
            "meta": {
                **dict(ours.get("meta") or {}),
                **kept,
                **{f"{named[key]}_paragraphs": list(view.about) for key, view in views.items() if any(view.about)},
            },
        }
        return row_to_example(row, keys, number=number, lang=self.lang, split=split)

    def _chosen(self, task: Mapping[str, Any], name: str) -> list[Any]:
        given = task.get("annotations", task.get("completions")) or []
        if not isinstance(given, list) or not all(isinstance(a, Mapping) for a in given):
            raise RowError("bad_task", "'annotations' is not a list of objects", where=name)
        done = [a for a in given if not a.get("was_cancelled")]
        if not done and self.predictions:
            done = [p for p in task.get("predictions") or [] if isinstance(p, Mapping)]
        if not done:
            raise RowError(
                "not_annotated",
                "nobody annotated the task",
                where=name,
                hint="--set read.options.predictions=true takes the predictions of such tasks",
            )
        best = max(enumerate(done), key=lambda item: (bool(item[1].get("ground_truth")), _updated(item[1]), item[0]))[1]
        result = best.get("result") or []
        if not isinstance(result, list) or not all(isinstance(r, Mapping) for r in result):
            raise RowError("bad_task", "'result' is not a list of objects", where=name)
        return result

    def _fields(
        self, data: Mapping[str, Any], ours: Mapping[str, Any], regions: Sequence[Mapping[str, Any]], name: str
    ) -> list[str]:
        """The keys of ``data`` that hold texts, in their order there."""
        if self.fields:
            return list(self.fields)
        texts = [key for key, value in data.items() if isinstance(value, str) or is_dialogue(value)]
        if ours:
            return [key for key in texts if not key.startswith(_SOURCE)]
        named = [key for key in texts if any(region.get("to_name") == key for region in regions)]
        if named or "text" in texts or len(texts) == 1:
            return named or (["text"] if "text" in texts else texts)
        raise RowError(
            "no_text",
            f"which of {', '.join(texts) or 'no keys'} is the text?",
            where=name,
            hint='--set read.options.fields=["KEY"]',
        )

    def _spans(
        self, region: Mapping[str, Any], views: Mapping[str, Shown], named: Mapping[str, str], name: str
    ) -> Iterator[dict[str, Any]]:
        """One span for each label of a region."""
        # Another project may call the tag otherwise than the key; with one text there is no doubt.
        key = str(region.get("to_name")) if str(region.get("to_name")) in named else next(iter(named))
        view = views[key]
        start, end = region_range(region, view, name)
        if region.get("type") == LABELS:
            _check_quote(start, end, region["value"].get("text"), view, name)
        span = {"start": start, "end": end, "field": named[key]}
        for i, label in enumerate(region_labels(region, name)):
            yield {**span, "label": label, "id": f"{region.get('id', '')}{'' if not i else f'.{i}'}"}


def _attributes(region: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a region's span besides its label: what our writer left, and a person's note on the region."""
    known = ours.get("attributes")
    found = known.get(str(region.get("id"))) if isinstance(known, Mapping) else None
    attributes = dict(found) if isinstance(found, Mapping) else {}
    if isinstance(region.get("meta"), Mapping) and region["meta"]:
        attributes["meta"] = region["meta"]
    return {"attributes": attributes}


def _check_quote(start: Any, end: Any, quote: Any, view: Shown, name: str) -> None:
    """A region says what it covers; where offsets count another unit the two differ."""
    if not isinstance(quote, str) or not isinstance(start, int) or not isinstance(end, int):
        return
    try:
        covered = view.text[view.convert(start) : view.convert(end)]
    except KeyError:
        return  # the row says so itself
    if not same_text(quote, covered):
        raise RowError(
            "bad_offsets",
            f"the offsets cover {covered!r}, the region says {quote!r}",
            where=name,
            hint="--set read.options.offsets=utf16, for releases of Label Studio before 1.5",
        )


def _updated(annotation: Mapping[str, Any]) -> str:
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")
