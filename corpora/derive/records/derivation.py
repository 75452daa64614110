"""Training records by recipe: named fields in any languages, worded by templates."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import pyarrow as pa
from annotated_types import Ge, Le

from spanferry.corpora.derive.base import chance_of, key_of, refused
from spanferry.corpora.derive.languages import language_name
from spanferry.corpora.derive.records.recipe import PARTS, Recipe, Wording, load_recipe
from spanferry.corpora.derive.records.shots import By, Shots
from spanferry.corpora.derive.records.templates import NothingThereError, check_template, rendered
from spanferry.corpora.derive.records.texts import Text
from spanferry.corpora.errors import ConfigError
from spanferry.corpora.multiway import MultiRow
from spanferry.corpora.stored.records import Record

_SPOKEN = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_LANGUAGES = pa.list_(pa.struct([("role", pa.string()), ("lang", pa.string())]))
_ROLES = ("user", "assistant")
Worded = tuple[str, ...]


class _Names:
    """The English name of each role's language; one without a name is an error only if it is shown."""

    def __init__(self, languages: Mapping[str, str]) -> None:
        self._languages = languages

    def __getitem__(self, role: str) -> str:
        return language_name(self._languages[role])


@dataclass(frozen=True)
class Records:
    """Training records by recipe: fields of a row in the languages that the recipe names, worded by its templates.

    One record per row and combination of languages. What is drawn follows from the seed and the row's id alone.

    Attributes:
        recipe: The name of a recipe that comes with Spanferry, or the path of a TOML file.
        languages: Role of the recipe to what it shall be: `all`, a tag, a list of tags, or another role.
        fields: Name of the recipe's templates to the field of your rows: `query`, `query@prompt`, `query@en`.
        shots: Solved records of other rows before the one that is asked for.
        shots_by: `random`, or `similar`: most alike in wording.
        shots_pool: Most rows that demonstrations are chosen from.
        zero_shot: Share of the records that get none of them.
        seed: Of templates, languages and demonstrations.
    """

    name: ClassVar[str] = "records"
    paper: ClassVar[str] = ""
    differs: ClassVar[str] = ""
    task: ClassVar[str] = "text-generation"
    local: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = frozenset()
    min_languages: ClassVar[int] = 1

    recipe: str = "translation"
    languages: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    shots: Annotated[int, Ge(0)] = 0
    shots_by: By = "random"
    shots_pool: Annotated[int, Ge(1)] = 1000
    zero_shot: Annotated[float, Ge(0), Le(1)] = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        loaded = load_recipe(self.recipe, self.languages, self.fields)
        names = list(loaded.fields)
        for lang, wordings in loaded.templates.items():
            for number, wording in enumerate(wordings):
                for part, text in wording.texts(loaded.form):
                    check_template(text, names, f"templates.{lang}[{number}].{part}")
        if self.shots and loaded.form == "preference":
            raise ConfigError(
                f"shots = {self.shots} with the recipe {self.recipe!r} of preferences",
                valid="recipes of the forms prompt and chat",
                hint="leave options.shots out",
            )
        unused = [
            name for name in ("shots_by", "shots_pool", "zero_shot") if getattr(self, name) != getattr(Records, name)
        ]
        if unused and not self.shots:
            raise ConfigError(
                f"{unused[0]} = {getattr(self, unused[0])!r} without demonstrations",
                valid="shots, and how they are chosen",
                hint="--set options.shots=2",
            )
        # The card shows the recipe's own.
        for name, value in (
            ("_loaded", loaded),
            *((name, getattr(loaded, name)) for name in ("paper", "differs", "task")),
        ):
            object.__setattr__(self, name, value)

    @property
    def _recipe(self) -> Recipe:
        found: Recipe = self.__dict__["_loaded"]
        return found

    @property
    def schema(self) -> pa.Schema:
        """See ``Derivation.schema``."""
        form = self._recipe.form
        columns = [("messages", _SPOKEN)] if form == "chat" else [(part, pa.string()) for part in PARTS[form]]
        about = [("languages", _LANGUAGES), ("wording", pa.string()), ("template", pa.int32()), ("shots", pa.int32())]
        return pa.schema([("id", pa.string()), *columns, *about])

    def derive(self, rows: Iterable[MultiRow]) -> Iterator[Record]:
        """See ``Derivation.derive``.

        Reasons: ``records:no_language`` (the row has no combination of languages that the recipe takes),
        ``records:no_field``, ``records:nothing_to_show`` (a template shows what the row lacks, such as a span),
        ``records:empty`` (a part has no text).
        """
        recipe = self._recipe
        demonstrations = Shots(rows, self.shots, self.shots_by, self.shots_pool, self.seed) if self.shots else None
        for row in rows:
            combinations = list(recipe.combinations(row.languages))
            if not combinations:
                yield refused(row, "records:no_language")
            if recipe.pick == "one" and combinations:
                combinations = [combinations[key_of(self.seed, "languages", row.id) % len(combinations)]]
            for languages in combinations:
                yield self._record(row, languages, demonstrations)

    def _record(self, row: MultiRow, languages: Mapping[str, str], demonstrations: Shots | None) -> Record:
        recipe = self._recipe
        part = f"_{'-'.join(languages.values())}"
        spoken = languages[recipe.wording or next(iter(languages))]
        wording = spoken if spoken in recipe.templates else recipe.fallback
        templates = recipe.templates[wording]
        number = key_of(self.seed, "template", row.id, *languages.values()) % len(templates)
        worded = self._worded(row, languages, templates[number], wording)
        if isinstance(worded, str):
            return refused(row, worded, part=part)
        shown: list[Worded] = []
        if demonstrations is not None and chance_of(self.seed, "zero", row.id, *languages.values()) >= self.zero_shot:
            field_name, where = next(iter(recipe.places().values()))
            needed = sorted({languages.get(at, at) for _, at in recipe.places().values()})
            for other in demonstrations.of(row, (field_name, languages.get(where, where)), needed):
                example = self._worded(other, languages, templates[number], wording)
                if len(shown) < self.shots and not isinstance(example, str):
                    shown.append(example)
        values = self._values(worded, shown, templates[number])
        about = {
            "languages": [{"role": role, "lang": lang} for role, lang in languages.items()],
            "wording": wording,
            "template": number,
            "shots": len(shown),
        }
        return Record(f"{row.id}{part}", {**values, **about}, row.split)

    def _worded(self, row: MultiRow, languages: Mapping[str, str], template: Wording, wording: str) -> Worded | str:
        """The parts of a record, or the reason why there is none."""
        recipe = self._recipe
        values: dict[str, Any] = {}
        for name, (field_name, where) in recipe.places().items():
            example = row.examples.get(languages.get(where, where))
            if example is None or field_name not in example.texts:
                return "records:no_field"
            values[name] = Text.of(example, field_name)
        words = recipe.labels.get(wording, {})
        label = next((e.label for e in row.examples.values() if e.label is not None), None)
        if label is not None:
            values["label"] = words.get(str(label), label)
        values |= {"labels": list(words.values()), "id": row.id}
        values["languages"] = _Names(languages)
        try:
            parts = tuple(rendered(text, values) for _, text in template.texts(recipe.form))
        except NothingThereError:
            return "records:nothing_to_show"
        return parts if all(parts) else "records:empty"

    def _values(self, worded: Worded, shown: list[Worded], template: Wording) -> dict[str, Any]:
        form = self._recipe.form
        if form == "chat":
            system, turns = (worded[:1], worded[1:]) if template.system else ((), worded)
            before = [turn for one in shown for turn in one[len(system) :]]
            messages = [{"role": "system", "content": text} for text in system]
            messages += [{"role": _ROLES[k % 2], "content": text} for k, text in enumerate([*before, *turns])]
            return {"messages": messages}
        if form == "prompt":
            solved = [f"{prompt}\n{completion}\n\n" for prompt, completion in shown]
            return {"prompt": "".join([*solved, worded[0]]), "completion": worded[1]}
        return dict(zip(PARTS[form], worded, strict=True))
