"""Every option of every component, set in a flow that uses it: the digests that change are those from its step on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spanferry.corpora.options import Option, options_of
from spanferry.corpora.readers import open_reader
from spanferry.corpora.readers.multiway import open_parallel
from spanferry.corpora.registry import resolve
from spanferry.corpora.signature import Signature, neutral_options
from spanferry.flows.components import KINDS
from spanferry.flows.configs import GIVEN
from tests.flows.identity_flows import Flows

RUN = {"read.path": "{en}", "target": ["es"]}
SETS = {"rows.inputs": ["en={en}", "es={es}"]}
FITS = ["fit-es", "project-es"]
LLM = {"translator.model": "endpoint:m", "translator.options": {"url": "http://127.0.0.1:9/v1"}}
# Other values where the type does not tell one that the component takes.
VALUES: dict[str, Any] = {
    "split": "test", "encoding": "latin-1", "label": "x", "config": "c", "revision": "r", "token_column": 2,
    "tag_column": 2, "label_column": 2, "column": 2, "tag_columns": [2], "tokenised": True,
    "prior": "none", "boundary": "expand", "search": "full", "vocabulary": "all", "reverse": "bundled",
    "aligner": "encoder", "rule": "minmax", "aligner_options": {"symmetrisation": "union"}, "markers": "tags",
    "members": ["default", "copy"], "symmetrisation": "union", "method": "itermax", "threshold": 0.1,
    "mean": "geometric", "kinds": ["url"], "layer": 2, "filters": ["contiguous"], "total": 9, "tolerance": 5.0,
    "directions": ["en-es"], "hubs": ["es"], "auxiliaries": ["es"], "ways": ["joint"], "transliterate": ["english"],
    "scheme": "{text}", "classes": "{dictionary}", "files": {"es": "{more_words}"}, "file": "{histogram_other}",
    "tokenizer": "{tokenizer_other}", "table": "{more_entities}",
    "shares": [1.0, 0.5, 0.0], "tags": "meta:tags",
}  # fmt: skip
SPECIAL: dict[tuple[str, str], Any] = {
    ("conll", "scheme"): "bioes", ("jsonl", "scheme"): "bioes", ("saved", "scheme"): "bioes",
    ("csv", "scheme"): "bioes", ("slot_files", "scheme"): "bioes", ("hf", "scheme"): "bioes",
    ("leakage", "paths"): ["{en_other}"], ("leakage", "format"): "jsonl", ("max_error", "calibration"): "{calibration}",
    ("aligned", "model"): "{encoder}", ("similarity", "model"): "{encoder}", ("divergence", "model"): "{encoder}",
    ("agreement", "method"): "copy", ("agreement", "options"): {"aligner": "lexical"}, ("max_error", "text"): "given",
    ("constrained", "scorer_language"): "de", ("csv", "word_key"): "w", ("csv", "word_tag_key"): "t",
    ("csv", "sentence_key"): "s", ("parquet", "scheme"): "bioes", ("arrow", "tags"): True, ("parquet", "tags"): True,
    ("default", "context"): False, ("lexical", "context"): False, ("default", "aligner"): "LexicalAligner",
    ("eflomal", "model"): 1, ("eflomal", "runs"): 2, ("encoder", "compute_type"): "float32",
    ("conflicts", "keep"): "none", ("mixture", "parts"): [{"kind": "lexical"}, {"kind": "encoder", "weight": 2.0}],
    ("contextual", "generator"): "endpoint:other", ("contextual", "generator_options"): {"url": "http://127.0.0.1:7/v1"},
    ("cmi", "tolerance"): 5.0, ("interleaved", "unit"): "characters", ("probability", "cross"): "uniform",
    ("language", "others"): ["en"], ("duplicates", "side"): "both", ("sentence-pairs", "into"): "de",
    ("records", "recipe"): "entities", ("records", "languages"): {"source": "es"}, ("records", "fields"): {"text": "x"},
    ("sentence-pairs", "source"): "en", ("encoder", "model"): "{encoder}", ("encoder", "method"): "argmax",
}  # fmt: skip
# What a component needs before anything of it can be chosen.
NEEDS: dict[str, dict[str, Any]] = {
    "sentence-pairs": {"into": "es"},
    "dictionary": {"files": {"es": "{dictionary}"}},
    "entities": {"table": "{entities}"},
    "histogram": {"shares": [1.0, 1.0, 0.0]},
    "mixture": {"parts": [{"kind": "lexical"}, {"kind": "encoder"}]},
    "contextual": {"generator": "endpoint:m", "generator_options": {"url": "http://127.0.0.1:9/v1"}},
}
# Options that say what they resolve to: another name of the same changes nothing.
RESOLVED = {("constrained", "scorer"): "bundled", ("encoder", "device"): "cpu", ("encoder", "layer"): 4}
# Refused without another option, or of use only with it.
WITH: dict[tuple[str, str], dict[str, Any]] = {
    ("interleaved", "tokenizer"): {"unit": "pieces", "tokenizer": "{tokenizer}"},
    ("constrained", "scorer_language"): {"scorer": "bundled"},
    ("histogram", "file"): {"shares": [], "file": "{histogram}"},
    **{("records", option): {"shots": 1} for option in ("shots_by", "shots_pool", "zero_shot")},
}


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Flows:
    return Flows(tmp_path_factory.mktemp("inputs"))


def _another(name: str, option: Option) -> Any:
    """Another value than the default."""
    default = option.default
    found = SPECIAL.get((name, option.name), VALUES.get(option.name))
    if found is not None and found != default and not (option.type == "int" and isinstance(found, str)):
        return found
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        return default + 1 if default < 10 else default - 1
    if isinstance(default, float):
        return default / 2 if default else 0.5
    if '"' in option.type:
        return next(word for word in option.type.split('"')[1::2] if word not in (default, ""))
    if option.type.startswith("list of str"):
        return [*default, "x"]
    if option.type == "str":
        return f"{default}x"
    raise AssertionError(f"no other value known for {option.name} of {name} ({option.type}, {default!r})")


def _objects() -> dict[tuple[str, str], Any]:
    """Values of the options that take objects, for those who call from Python."""
    from spanferry.projectors.aligners.lexical.aligner import LexicalAligner
    from spanferry.projectors.aligners.lexical.fit import Settings
    from spanferry.projectors.methods.default import Weights
    from spanferry.projectors.segments.posterior import SegmentWeights, learned_weights

    learned = learned_weights()
    doubled = SegmentWeights(np.multiply(learned.directed, 2), learned.links)
    return {
        ("default", "weights"): Weights(model=0.5),
        ("default", "segments"): doubled,
        ("default", "aligner"): LexicalAligner(symmetrisation="union"),
        ("alignment", "segments"): doubled,
        ("lexical", "settings"): Settings(hmm=1),
    }


def _components(*kinds: str, but: tuple[str, ...] = ()) -> Any:
    return pytest.mark.parametrize(
        ("kind", "name"), [(kind, name) for kind in kinds for name in KINDS[kind] if name not in but]
    )


def _cls(kind: str, name: str) -> Any:
    return resolve(kind, name, KINDS[kind])


def _settings(kind: str, name: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any], list[str]]:
    """The flow that uses a component with these options, its settings and the steps that use it first."""
    chosen = dict(options)
    match kind:
        case "writers":
            formats = list(dict.fromkeys(["arrow", name]))
            first = ["emit-es" if name == "arrow" else f"emit-es-{name}"]
            return "translate-train", {**RUN, "output.formats": formats, f"output.options.{name}": chosen}, first
        case "parallel-writers":
            return (
                "parallel",
                {**SETS, "output.formats": [name], f"output.options.{name}": chosen},
                [f"emit-{name}"],
            )
        case "filters":
            return "translate-train", {**RUN, "filters": [{"kind": name, **chosen}]}, ["score-es"]
        case "derivations":
            return "derive", {**SETS, "kind": name, "options": chosen}, ["derive"]
        case "units" | "counterparts" | "constraints" | "samplers":
            section = kind.removesuffix("s")
            own: dict[str, Any] = {section: {"kind": name, **chosen}}
            if name in ("entities", "transliteration"):
                own["unit"] = {"kind": "span" if name == "entities" else "word"}
            return "code-switch", {**SETS, **own}, ["assign", "switch"]
        case "projectors":
            return "translate-train", {**RUN, "projector.kind": name, "projector.options": chosen}, FITS
        case _:
            own = {"aligner": name, "aligner_options": chosen}
            return "translate-train", {**RUN, "projector.kind": "alignment", "projector.options": own}, FITS


@_components(
    *("writers", "parallel-writers", "filters", "derivations", "units", "counterparts", "constraints", "samplers"),
    *("projectors", "aligners"),
    but=("simalign",),  # its signature has tests of its own, where the package is installed
)
def test_an_option_changes_the_steps_from_where_it_is_used(flows: Flows, kind: str, name: str) -> None:
    cls = _cls(kind, name)
    needs = {} if kind == "derivations" and name == "dictionary" else NEEDS.get(name, {})
    objects = _objects() if kind in ("projectors", "aligners") else {}
    for option in options_of(cls, GIVEN):
        if (name, option.name) == ("lexical", "prior_name"):
            continue  # only with a function as prior, and refused otherwise
        resolved = (name, option.name) in RESOLVED
        value = RESOLVED[name, option.name] if resolved else objects.get((name, option.name)) or _another(name, option)
        own = {**needs, **WITH.get((name, option.name), {})}
        flow, settings, first = _settings(kind, name, own)
        if kind == "filters" and option.name not in cls.scoring:
            first = ["filter-es"]
        before = flows.build(flow, settings)
        after = flows.build(*_settings(kind, name, {**own, option.name: value})[:2])
        is_neutral = resolved or option.name in neutral_options(cls)
        expected = set() if is_neutral else before.from_on(first) & after.steps.keys()
        assert before.changed(after) == expected, option.name
        assert is_neutral or expected, option.name


@_components("readers", but=("hf", "reviewed"))
def test_an_option_of_a_reader_changes_what_is_read(flows: Flows, tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(flows.inputs["en"].read_bytes())
    if name in ("brat", "saved"):
        path = tmp_path / "folder"
        path.mkdir()
        (path / "a.ann").write_text("")
        (path / "a.txt").write_text("x")
    plain = open_reader(path, lang="en", format=name).signature
    cls = _cls(kind, name)
    assert isinstance(plain, Signature) and plain.value("src"), "an entry of its own"
    for option in options_of(cls, GIVEN):
        other = open_reader(path, lang="en", format=name, options={option.name: _another(name, option)}).signature
        assert (other != plain) == (option.name not in neutral_options(cls)), option.name


@_components("parallel-readers")
def test_an_option_of_a_parallel_reader_changes_what_is_read(tmp_path: Path, kind: str, name: str) -> None:
    for lang, text in (("en", "one\n"), ("es", "uno\n"), ("de", "eins\n")):
        (tmp_path / f"rows.{lang}").write_text(text)
    (tmp_path / "rows.tsv").write_text("one\tuno\n")
    units = "".join(f'<tuv xml:lang="{lang}"><seg>x</seg></tuv>' for lang in ("en", "es"))
    (tmp_path / "rows.tmx").write_text(f"<tmx version='1.4'><header/><body><tu>{units}</tu></body></tmx>")
    entry = str(tmp_path / ("rows" if name == "moses" else f"rows.{name}"))
    base: dict[str, Any] = {"columns": ["en", "es"]} if name == "tsv" else {}
    values = {"langs": ["en", "es"], "columns": ["es", "en"], "header": True}
    (plain,) = open_parallel(entry, format=name, options=base)
    for option in options_of(_cls(kind, name), GIVEN):
        value = values.get(option.name, VALUES.get(option.name))
        (other,) = open_parallel(entry, format=name, options={**base, option.name: value})
        assert isinstance(other.signature, Signature) and other.signature != plain.signature, option.name


@pytest.mark.parametrize(
    ("name", "options", "first"),
    [
        ("batch_tokens", {"batch_tokens": 64}, []),  # int8 on a CPU: a row comes out the same in any batch
        ("max_source", {"max_source": 64}, ["segment"]),
        ("max_target", {"max_target": 64}, ["translate-es"]),
    ],
)
def test_options_of_a_model(flows: Flows, name: str, options: dict[str, Any], first: list[str]) -> None:
    before = flows.build("translate-train", RUN)
    after = flows.build("translate-train", {**RUN, "translator.options": options})
    assert before.changed(after) == before.from_on(first)
    floats = {**RUN, "translator.compute_type": "float32"}
    among_floats = flows.build("translate-train", {**floats, "translator.options": options})
    assert flows.build("translate-train", floats).changed(among_floats) == before.from_on(first or ["translate-es"])


def test_options_of_an_endpoint_and_of_what_prompts_it(flows: Flows) -> None:
    from spanferry.translators.endpoints.endpoint import Endpoint
    from spanferry.translators.prompting.prompted import PromptTranslator

    run, segment, translate = {**RUN, **LLM, "projector.kind": "copy"}, ["segment"], ["translate-es"]
    before = flows.build("translate-train", run)
    examples = flows.inputs["examples"]
    cases: dict[str, tuple[Any, list[str]]] = {
        "url": ("http://127.0.0.1:8/v1", segment), "extra": ({"temperature": 1}, segment), "context": (8000, translate),
        "max_tokens": (100, translate), "key_env": ("KEY", []), "timeout": (9.0, []), "retries": (1, []),
        "longest_wait": (9.0, []), "concurrency": (1, []), "requests_per_minute": (9, []),
        "tokens_per_minute": (9, []), "price_in": (1.0, []), "price_out": (1.0, []), "max_requests": (9, []),
        "max_cost": (1.0, []), "max_source": (64, segment), "max_target": (64, translate),
        "examples": (str(examples), translate), "shots": (1, translate), "min_similarity": (0.123456789, translate),
    }  # fmt: skip
    known = {
        o.name for cls in (Endpoint, PromptTranslator) for o in options_of(cls, {"model", "generator", "template"})
    }
    assert set(cases) == known
    for name, (value, first) in cases.items():
        assert (name in neutral_options(Endpoint)) == (not first), name
        needed = {"shots": {"examples": str(examples)}, "min_similarity": {"examples": str(examples)}}.get(name, {})
        needed |= {"price_in": 2.0} if name == "max_cost" else {}
        own = {**LLM["translator.options"], **needed}
        plain = flows.build("translate-train", {**run, "translator.options": own})
        after = flows.build("translate-train", {**run, "translator.options": {**own, name: value}})
        assert plain.changed(after) == before.from_on(first), name


def test_a_close_number_is_another_number(flows: Flows) -> None:
    settings = {**RUN, "projector.kind": "copy"}
    one = flows.build("translate-train", {**settings, "projector.options": {"ratio": 0.7500000001}})
    assert one.changed(flows.build("translate-train", settings)) == one.from_on(["project-es"])


def test_what_a_file_holds_is_part_of_what_names_it(flows: Flows, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(flows.inputs["tokenizer"].read_bytes())
    settings = {**SETS, "kind": "interleaved", "options": {"unit": "pieces", "tokenizer": str(path)}}
    before = flows.build("derive", settings)
    path.write_bytes(flows.inputs["tokenizer_other"].read_bytes())
    after = flows.build("derive", {**settings, "out": "again"})  # so that it is built again
    assert before.changed(after) == before.from_on(["derive"])


@pytest.mark.parametrize("name", ["rows.test.jsonl", "dev.jsonl"])
def test_a_split_that_a_name_says_is_part_of_what_is_read(flows: Flows, tmp_path: Path, name: str) -> None:
    train, other = tmp_path / "rows.jsonl", tmp_path / name
    for path in (train, other):
        path.write_bytes(flows.inputs["en"].read_bytes())
    before, after = (flows.build("translate-train", {**RUN, "read.path": str(path)}) for path in (train, other))
    assert before.changed(after) == before.from_on(["read"])


def test_names_of_brat_files_are_part_of_what_is_read(tmp_path: Path) -> None:
    for folder, name in (("a", "one"), ("b", "two"), ("c", "one")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.txt").write_text("Ann")
        (tmp_path / folder / f"{name}.ann").write_text("T1\tP 0 3\tAnn\n")
    one, two, same = (open_reader(tmp_path / f, lang="en", format="brat").signature for f in "abc")
    assert one != two, "rows are called by their files"
    assert one == same, "wherever the folder lies"
