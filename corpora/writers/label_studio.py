"""Label Studio: ``<split>.json`` with tasks to import, spans as predictions, and ``label_config.xml`` for the project.

A task's ``data`` holds each text field, the source's texts as ``source_<field>``, and under ``spanferry`` what brings
a correction home: id, language, split, label, meta. Its one prediction has the spans as regions with the projection's
score, the relations, the class, and as its own score the lowest of its spans, by which the data manager sorts.

Label Studio counts ``start`` and ``end`` of text regions in code points (its editor's tests hold this; releases before
1.5 counted UTF-16 units), and treats ``\\r\\n`` as two characters, as we do.
"""

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar
from xml.sax.saxutils import quoteattr

from spanferry.corpora.columns import LABEL_STUDIO_OURS as OURS
from spanferry.corpora.columns import LABEL_STUDIO_SOURCE as SOURCE
from spanferry.corpora.columns import column_of, is_label_studio_key
from spanferry.corpora.files import publish, work_folder
from spanferry.corpora.schema import Example, Pair
from spanferry.corpora.stored.base import (
    REJECTED,
    Survey,
    WriteReport,
    group_of,
    held_relations,
    refuse_loss,
    replayable,
    subject,
    survey,
)
from spanferry.corpora.text.offsets import Unit, in_unit

CONFIG = "label_config.xml"


def key_of(field: str) -> str:
    """The key of a text field in a task's ``data``, and the name of its tag: unlike all that stands beside it."""
    return column_of(field, is_label_studio_key)


@dataclass(frozen=True)
class LabelStudioWriter:
    """Writes Label Studio tasks with predictions, and the labeling configuration of their project.

    Attributes:
        offsets: What Label Studio counts: code points; ``utf16`` for releases before 1.5.
        source: Whether the source's texts are shown beside.
        allow_loss: Lets discontinuous spans be written from their first part to their last.
    """

    name: ClassVar[str] = "label_studio"
    holds: ClassVar[frozenset[str]] = frozenset({"overlap", "scores", "relations", "fields"})

    offsets: Unit = "codepoint"
    source: bool = True
    allow_loss: bool = False

    def write(self, batches: Iterable[list[Pair]], out: Path) -> WriteReport:
        """See ``Writer.write``."""
        lost: Counter[str] = Counter()
        with work_folder(out) as folder, replayable(batches, folder) as rows, ExitStack() as stack:
            seen = survey(rows)
            groups = seen.groups()
            new = folder / "new"
            new.mkdir()
            files: dict[str, IO[str]] = {
                group: stack.enter_context((new / f"{group}.json").open("w", encoding="utf-8", newline="\n"))
                for group, _, _ in groups
            }
            started: set[str] = set()
            for batch in rows:
                for pair in batch:
                    group = group_of(pair)
                    task = json.dumps(self._task(pair, lost), ensure_ascii=False)
                    files[group].write(f"{',' if group in started else '['}\n{task}")
                    started.add(group)
            for group, file in files.items():
                file.write("\n]\n" if group in started else "[]\n")
                file.close()
            (new / CONFIG).write_text(self._config(seen, rows), encoding="utf-8")
            publish(new, out, index=f"{REJECTED}.json")
        names = tuple(sorted([*(f"{group}.json" for group, _, _ in groups), CONFIG]))
        return WriteReport({g: n for g, _, n in groups}, dict(sorted(lost.items())), names)

    def _task(self, pair: Pair, lost: Counter[str]) -> dict[str, Any]:
        example = subject(pair)
        missing = Counter(discontinuous=sum(bool(span.fragments) for span in example.spans))
        if not self.allow_loss and pair.kept:
            refuse_loss(+missing, example.id, "Label Studio", self.name)
        lost.update(+missing)
        ours: dict[str, Any] = {"id": example.id, "lang": example.lang, "split": pair.source.split}
        ours |= {"label": example.label, "meta": dict(example.meta), "reasons": list(pair.reasons)}
        if found := {span.id: dict(span.attributes) for span in example.spans if span.attributes}:
            ours["attributes"] = found
        data: dict[str, Any] = {key_of(field): text for field, text in example.texts.items()}
        if self.source and pair.target is not None:
            data |= {f"{SOURCE}{field}": text for field, text in pair.source.texts.items()}
        scores = {p.source_span_id: p.score for p in pair.projections if p.span is not None}
        prediction: dict[str, Any] = {"model_version": OURS, "result": self._result(example, scores, lost)}
        if scores:
            prediction["score"] = min(scores.values())
        return {"data": {**data, OURS: ours}, "predictions": [prediction]}

    def _result(self, example: Example, scores: dict[str, float], lost: Counter[str]) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = []
        for span in example.spans:
            text = example.texts[span.field]
            convert = in_unit(text, self.offsets)
            value = {"start": convert(span.start), "end": convert(span.end), "text": span.quote(text)}
            region: dict[str, Any] = {
                "id": span.id,
                "from_name": f"label_{span.field}",
                "to_name": key_of(span.field),
                "type": "labels",
            }
            region |= {"value": {**value, "labels": [span.label]}}
            result.append(region | ({"score": scores[span.id]} if span.id in scores else {}))
        for relation in held_relations(example, lost):
            ends = {"from_id": relation.head, "to_id": relation.tail, "direction": "right"}
            result.append({"type": "relation", **ends, "labels": [relation.label]})
        if example.label is not None:
            about = {"id": "class", "from_name": "class", "to_name": key_of(next(iter(example.texts)))}
            about["type"] = "choices"
            result.append({**about, "value": {"choices": [str(example.label)]}})
        return result

    def _config(self, seen: Survey, rows: Iterable[list[Pair]]) -> str:
        """The labeling configuration: every label, relation and class of the rows."""
        labels: dict[str, set[str]] = {field: set() for field in seen.fields}
        names_of_relations: set[str] = set()
        for example in (subject(pair) for batch in rows for pair in batch):
            names_of_relations.update(relation.label for relation in example.relations)
            for span in example.spans:
                labels.setdefault(span.field, set()).add(span.label)
        relations = sorted(names_of_relations)
        lines = ["<View>"]
        if relations:
            lines += ["  <Relations>", *(f"    <Relation value={quoteattr(name)}/>" for name in relations)]
            lines.append("  </Relations>")
        for field, names in labels.items():
            if self.source:
                shown = quoteattr(f"${SOURCE}{field}")
                lines.append(f"  <Text name={quoteattr(SOURCE + field)} value={shown}/>")
            lines.append(f"  <Labels name={quoteattr(f'label_{field}')} toName={quoteattr(key_of(field))}>")
            lines += [f"    <Label value={quoteattr(name)}/>" for name in sorted(names)]
            lines.append("  </Labels>")
            key = key_of(field)
            lines.append(f"  <Text name={quoteattr(key)} value={quoteattr(f'${key}')}/>")
        if seen.classes:
            first = next(iter(seen.fields))
            lines.append(f'  <Choices name="class" toName={quoteattr(key_of(first))}>')
            lines += [f"    <Choice value={quoteattr(name)}/>" for name in sorted(seen.classes)]
            lines.append("  </Choices>")
        return "\n".join([*lines, "</View>", ""])
