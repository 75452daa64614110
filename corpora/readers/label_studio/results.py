"""What the results of one Label Studio annotation are: regions, relations, what was chosen or written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spanferry.corpora.errors import RowError
from spanferry.corpora.readers.common.label_keys import looks_like_spans
from spanferry.corpora.readers.label_studio.regions import HYPERTEXT, LABELS, PARAGRAPHS

_TEXT_REGIONS = (LABELS, HYPERTEXT, PARAGRAPHS)


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one annotation, sorted.

    Attributes:
        regions: Of texts.
        others: Regions of types that are not read, by type.
        relations: As rows have them, one for each label.
        by_region: What was chosen or written for a region, by its id and the name of the control.
        of_task: What was chosen or written for the task, by the name of the control.
    """

    regions: list[Mapping[str, Any]] = field(default_factory=list)
    others: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    relations: list[dict[str, Any]] = field(default_factory=list)
    by_region: dict[str, dict[str, Any]] = field(default_factory=dict)
    of_task: dict[str, tuple[str, Any]] = field(default_factory=dict)


def sort_results(result: Sequence[Mapping[str, Any]], name: str) -> Results:
    """The results of an annotation, by what they are.

    Raises:
        RowError: ``bad_span`` or ``bad_relation``: one is not what its type says.
    """
    found = Results()
    for one in result:
        kind, value = str(one.get("type")), one.get("value")
        if kind == "relation":
            found.relations.extend(_relations(one, name))
            continue
        if not isinstance(value, Mapping):
            raise RowError("bad_span", f"a result of the type {kind!r} has no value", where=name)
        if kind in _TEXT_REGIONS:
            found.regions.append(one)
            continue
        if kind.endswith("labels"):
            found.others.setdefault(kind, []).append(one)
            continue
        control = str(one.get("from_name") or kind)
        content = value.get(kind, {k: v for k, v in value.items() if k not in ("start", "end", "text")})
        if "start" in value or "parentID" in one:
            region = str(one.get("parentID") or one.get("id"))
            found.by_region.setdefault(region, {})[control] = _single(content)
        else:
            found.of_task[control] = (kind, content)
    return found


def region_labels(region: Mapping[str, Any], name: str) -> list[Any]:
    """The labels of a region.

    Raises:
        RowError: ``bad_span``: they are not a list.
    """
    labels = region["value"].get(str(region.get("type")))
    if labels is not None and not isinstance(labels, list):
        raise RowError("bad_span", f"a region has the labels {labels!r:.60}", where=name, valid="a list of strings")
    return labels or [None]


def label_of(of_task: Mapping[str, tuple[str, Any]], ours: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The label of the text, and what else was chosen or written for it.

    One choice of one control is the label; several choices are not one label, and neither are two controls.
    """
    choices = {control: content for control, (kind, content) in of_task.items() if kind == "choices"}
    rest = {control: content for control, (kind, content) in of_task.items() if kind != "choices"}
    if len(choices) == 1:
        [chosen] = choices.values()
        if isinstance(chosen, list) and len(chosen) == 1 and isinstance(chosen[0], str):
            return chosen[0], rest
    return (None if choices else ours.get("label")), {**rest, **choices}


def minimal_row(task: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """A task of JSON-MIN, whose keys are the names of the controls, as a row.

    Raises:
        RowError: ``bad_task`` or ``unread_labels``: it is undecidable which key holds the labels or the text.
    """
    held = [key for key, value in task.items() if looks_like_spans(value)]
    texts = [key for key in fields or ("text",) if isinstance(task.get(key), str)]
    if len(held) > 1:
        raise RowError("unread_labels", f"labels under {', '.join(held)}: which of them counts?", hint="export as JSON")
    if not held and not any(key in task for key in ("text", *fields)):
        raise RowError("bad_task", "a task has no 'data'")
    if not texts:
        raise RowError("no_text", "no text in the task", hint='--set read.options.fields=["KEY"]')
    row = {key: value for key, value in task.items() if key not in (*held, *texts)}
    choice = next((key for key in ("choice", "sentiment", "intent") if isinstance(row.get(key), str)), None)
    label = row.pop(choice) if choice else None
    return {
        "id": row.pop("id", None),
        "texts": {key: task[key] for key in texts},
        "spans": task[held[0]] if held else [],
        "label": label,
        "meta": {key: value for key, value in row.items() if key != "label" or value},
    }


def _relations(one: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    labels = one.get("labels") or ["related"]
    if not isinstance(labels, list):
        raise RowError("bad_relation", f"a relation has the labels {labels!r:.60}", where=name)
    ends = [one.get("from_id"), one.get("to_id")]
    head, tail = reversed(ends) if one.get("direction") == "left" else ends
    return [{"head": head, "tail": tail, "label": label} for label in labels]


def _single(content: Any) -> Any:
    return content[0] if isinstance(content, list) and len(content) == 1 else content
