"""Label Studio's JSON export: what people made of the tasks."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from spanferry.corpora.columns import field_of, is_label_studio_key
from spanferry.corpora.errors import InputError, RowError
from spanferry.corpora.readers.base import BadRow, FileReader, bad_row
from spanferry.corpora.readers.rows import RowKeys, row_to_example
from spanferry.corpora.readers.text import read_lines
from spanferry.corpora.schema import Example
from spanferry.corpora.text.offsets import Unit, code_points

_OURS, _SOURCE = "spanferry", "source_"
# The editor writes line ends of a selection as a backslash and an n.
_SPACE = re.compile(r"\\n|\s+")


@dataclass(frozen=True)
class LabelStudioReader(FileReader):
    """Reads a Label Studio JSON export (tasks with ``data`` and ``annotations``).

    Of several annotations the ground truth counts, else the one updated last; cancelled ones don't. Regions become
    spans, relations relations, a choice the label; tasks that our writer made get their id, language and split back.
    A task that nobody annotated is a bad row, ``not_annotated``. The file is one JSON value and is held in memory.

    Attributes:
        predictions: Takes the predictions of tasks without an annotation: what nobody corrected stays as it was.
        fields: Keys of ``data`` that hold the texts, named like the tags; empty: those that regions name, else all
            texts that our writer wrote, else ``text``.
        offsets: What ``start`` and ``end`` count: code points; ``utf16`` for releases of Label Studio before 1.5.
        encoding: Of the file.
    """

    name: ClassVar[str] = "label_studio"

    predictions: bool = False
    fields: tuple[str, ...] = ()
    offsets: Unit = "codepoint"
    encoding: str = "utf-8"

    def read(self) -> Iterator[Example | BadRow]:
        """See ``Reader.read``.

        Raises:
            InputError: The file is missing, empty, no JSON, or not a list of tasks.
        """
        for number, task in enumerate(self._tasks(), 1):
            data = task.get("data") if isinstance(task, Mapping) else None
            ours = data.get(_OURS) if isinstance(data, Mapping) else None
            ours = ours if isinstance(ours, Mapping) else {}
            name = str(ours.get("id") or (task.get("id") if isinstance(task, Mapping) else None) or number)
            split = str(ours["split"]) if self.split == "auto" and ours.get("split") else self.rows_split
            try:
                if not isinstance(data, Mapping):
                    raise RowError("bad_task", "a task has no 'data'", where=name)
                yield self._example(task, data, ours, name, number, split)
            except RowError as error:
                raw = json.dumps(task, ensure_ascii=False)
                yield bad_row(error, name, f"{self.path}: task {number}", raw, split)

    def _tasks(self) -> Sequence[Any]:
        hint = "export as JSON (not JSON-MIN, CSV or CONLL)"
        try:
            tasks = json.loads("\n".join(line for _, line in read_lines(self.path, self.encoding)))
        except (ValueError, RecursionError) as error:
            raise InputError(f"not JSON ({error})", where=str(self.path), hint=hint) from error
        if not isinstance(tasks, list):
            raise InputError(f"a JSON {type(tasks).__name__}", where=str(self.path), valid="a list of tasks", hint=hint)
        return tasks

    def _example(
        self,
        task: Mapping[str, Any],
        data: Mapping[str, Any],
        ours: Mapping[str, Any],
        name: str,
        number: int,
        split: str,
    ) -> Example:
        result = self._chosen(task, name)
        regions = [r for r in result if r.get("type") == "labels" and isinstance(r.get("value"), Mapping)]
        fields = self._fields(data, ours, regions, name)
        # Our writer's key of a field may be another than its name.
        named = {key: field_of(key, is_label_studio_key) if ours else key for key in fields}
        row = {
            "id": name,
            "lang": ours.get("lang"),
            "texts": {named[key]: data.get(key) for key in fields},
            "spans": [
                span | _attributes(region, ours)
                for region in regions
                for span in self._spans(region, data, named, name)
            ],
            "relations": [
                {"head": r.get("from_id"), "tail": r.get("to_id"), "label": (r.get("labels") or ["related"])[0]}
                for r in result
                if r.get("type") == "relation"
            ],
            "label": next((r["value"]["choices"][0] for r in result if r.get("type") == "choices"), ours.get("label")),
            "meta": dict(ours.get("meta") or {}),
        }
        return row_to_example(row, RowKeys(offsets=self.offsets), number=number, lang=self.lang, split=split)

    def _chosen(self, task: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        done = [a for a in task.get("annotations") or [] if isinstance(a, Mapping) and not a.get("was_cancelled")]
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
        return [r for r in best.get("result") or [] if isinstance(r, Mapping)]

    def _fields(
        self, data: Mapping[str, Any], ours: Mapping[str, Any], regions: Sequence[Mapping[str, Any]], name: str
    ) -> list[str]:
        """The keys of ``data`` that hold texts, in their order there."""
        if self.fields:
            return list(self.fields)
        texts = [key for key, value in data.items() if isinstance(value, str)]
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
        self, region: Mapping[str, Any], data: Mapping[str, Any], named: Mapping[str, str], name: str
    ) -> Iterator[dict[str, Any]]:
        """One span for each label of a region."""
        value = region["value"]
        # Another project may call the tag otherwise than the key; with one text there is no doubt.
        key = str(region.get("to_name")) if str(region.get("to_name")) in named else next(iter(named))
        span = {"start": value.get("start"), "end": value.get("end"), "field": named[key]}
        for i, label in enumerate(value.get("labels") or [None]):
            made = {**span, "label": label, "id": f"{region.get('id', '')}{'' if not i else f'.{i}'}"}
            _check_quote(made, value.get("text"), str(data.get(key) or ""), self.offsets, name)
            yield made


def _attributes(region: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a region's span besides its label: what our writer left, and a person's note on the region."""
    known = ours.get("attributes")
    found = known.get(str(region.get("id"))) if isinstance(known, Mapping) else None
    attributes = dict(found) if isinstance(found, Mapping) else {}
    if isinstance(region.get("meta"), Mapping) and region["meta"]:
        attributes["meta"] = region["meta"]
    return {"attributes": attributes}


def _check_quote(span: Mapping[str, Any], quote: Any, text: str, unit: Unit, name: str) -> None:
    """A region says what it covers; where offsets count another unit the two differ."""
    if not isinstance(quote, str) or not all(isinstance(span[key], int) for key in ("start", "end")):
        return
    try:
        covered = text[code_points(text, unit)(span["start"]) : code_points(text, unit)(span["end"])]
    except KeyError:
        return  # the row says so itself
    if _SPACE.sub("", quote) != _SPACE.sub("", covered):
        raise RowError(
            "bad_offsets",
            f"the offsets cover {covered!r}, the region says {quote!r}",
            where=name,
            hint="--set read.options.offsets=utf16, for releases of Label Studio before 1.5",
        )


def _updated(annotation: Mapping[str, Any]) -> str:
    return str(annotation.get("updated_at") or annotation.get("created_at") or "")
