"""Every option of every component and of every flow changes the signature, or does not, as the component declares.

The digest of the step that uses an option changes, and that of every later step; that of an earlier step never does.
"""

from pathlib import Path
from typing import Any

import pytest

from spanferry.corpora.readers import open_reader
from spanferry.corpora.signature import Signature
from spanferry.flows.config import build_config
from spanferry.flows.inspector.edits import Edit
from spanferry.flows.review.apply import ApplyConfig, apply_flows
from spanferry.projectors.pipeline.jobs import translate_train
from tests.flows.identity_flows import CONFIGS, Flows, leaves
from tests.flows.inspector.inspector_runs import open_session, pair, write_run

# Settings that a flow needs; {en} … are inputs.
SETS = {"rows.inputs": ["en={en}", "es={es}"]}
BASE: dict[str, dict[str, Any]] = {
    "translate-train": {"read.path": "{en}", "target": ["es"], "output.formats": ["arrow", "jsonl"]},
    "project": {"read.path": "{en}", "read.target": "{es}", "target": ["es"]},
    "parallel": SETS,
    "derive": {**SETS, "kind": "dictionary"},
    "code-switch": SETS,
}
TRANSLATING = {"rows.inputs": ["en={en}"], "kind": "sentence-pairs", "options.into": "es"}
# Another value for a key of a configuration, and the steps that use it first; those after them follow from the flow.
# A key may need other settings besides. A key that is neutral has no step.
Case = tuple[Any, list[str]] | tuple[Any, list[str], dict[str, Any]]
FITS = ["fit-es", "project-es"]
PAID: dict[str, Any] = {
    "translator.model": "endpoint:m",
    "translator.options": {"url": "http://127.0.0.1:9/v1", "price_in": 1.0},
}
BUDGET: dict[str, Case] = {
    "budget.max_cost": (2.5, [], PAID),
    "budget.max_requests": (7, [], PAID),
    "budget.max_time": ("90s", []),
}
RUN: dict[str, Case] = {
    "read.path": ("{en_other}", ["read"]),
    "read.format": ("text", ["read"]),
    "source": ("en-GB", ["read"]),
    "target": (["de"], [], {}),
    "out": ("elsewhere", []),
    "translator.model": ("tests.flows.test_signatures:Echo", ["segment"], {"projector.kind": "copy"}),
    "translator.device": ("cpu", []),  # what ``auto`` is here
    "translator.compute_type": ("float32", ["translate-es"]),
    "translator.beam": (2, ["translate-es"]),
    "translator.protect": (True, ["translate-es"]),
    "translator.glossary": ("{glossary}", ["translate-es"]),
    "translator.memory_mb": (0, []),
    "segment.mode": ("none", ["segment"]),
    "repair": (True, ["fit-es"]),
    "best_of": (4, ["fit-es"]),
    "projector.kind": ("copy", ["project-es"]),
    "projector.fit_rows": (7, FITS),
    "filters": ([{"kind": "copy"}], ["score-es"]),
    "output.formats": (["arrow", "conll"], []),
    "executor.kind": ("dask", []),
    "executor.workers": (3, []),
    "executor.address": ("tcp://127.0.0.1:1", [], {"executor.kind": "dask"}),
    "executor.slurm": ({"queue": "x"}, [], {"executor.kind": "dask"}),
    **BUDGET,
    "variants.count": (2, ["read", "translate-es"]),
    "variants.by": ("sample", ["translate-es"], {"variants.count": 2}),
    "output.scores": (True, ["emit-es", "emit-es-jsonl"]),
    "shard_rows": (7, ["read"]),
    "limit": (1, ["read"]),
    "seed": (1, ["emit-es", "emit-es-jsonl"]),
}
ROWS: dict[str, Case] = {
    "rows.inputs": (["en={en_other}", "es={es}"], ["input0"]),
    "rows.format": ("text", ["input0", "input1"]),
    "rows.join": ("index", ["rows"]),
    "rows.shared_span_ids": (True, ["input0", "input1"]),
    "rows.languages": (["es", "en"], ["rows"], {"align.pairs": "none"}),
    "rows.min_languages": (1, ["rows"]),
    "rows.filters": ([{"kind": "copy"}], ["rows"]),
    "rows.shard_rows": (7, ["input0", "input1"]),
    "rows.limit": (1, ["rows"]),
}
ALIGN: dict[str, Case] = {
    "align.aligner": ("encoder", ["align"]),
    "align.fit_rows": (7, ["fit-en-es"]),
}
OTHERS: dict[str, Case] = {name: RUN[name] for name in RUN if name.startswith("executor.") or name == "out"}
MODEL = {
    name: (case[0], ["derive"] if case[1] else [], TRANSLATING)
    for name, case in RUN.items()
    if name.startswith("translator.") and name != "translator.model"
}
CASES: dict[str, dict[str, Case]] = {
    "translate-train": RUN,
    "project": {
        **{
            name: case
            for name, case in RUN.items()
            if not name.startswith(("segment", "translator", "variants", "repair", "best_of"))
        },
        "target": (["de"], ["read"]),  # the language of what is read of the target side
        "read.target": ("{es_other}", ["read"]),
        "read.pair_by": ("id", ["read"]),
        "seed": (1, ["emit-es"]),
    },
    "parallel": {
        **ROWS,
        **ALIGN,
        **OTHERS,
        "align.pairs": ("none", ["emit-multiway"]),
        "output.formats": (["tmx"], []),
        "seed": (1, ["emit-multiway"]),
    },
    "derive": {
        **ROWS,
        **ALIGN,
        **OTHERS,
        **MODEL,
        **{name: (case[0], [], {**TRANSLATING, **PAID}) for name, case in BUDGET.items()},
        "filters": ([{"kind": "duplicates"}], ["emit-dictionary"]),
        "translator.model": ("tests.flows.test_signatures:Echo", ["derive"], TRANSLATING),
        "reverse": ("tests.flows.test_signatures:Echo", ["derive"], TRANSLATING),
        "align.pairs": ("none", ["derive"]),
        "kind": ("realignment", ["derive"]),
        "seed": (1, ["derive"]),
    },
    "code-switch": {
        **ROWS,
        **ALIGN,
        **OTHERS,
        "rows.min_languages": (2, ["rows"]),
        "align.pairs": ("none", ["switch"]),
        "preset": ("xcot", ["switch"]),
        "matrix": ("es", ["rows"]),
        "languages": (["de"], ["rows"], {"rows.inputs": ["en={en}", "es={es}", "de={de}"]}),
        "policy": ("row", ["switch"]),
        "copies": (2, ["switch"]),
        "fields": (["text"], ["switch"]),
        "unswitched": ("reject", ["switch"]),
        "filters": ([{"kind": "copy"}], ["switch"]),
        "max_words": (5, ["switch"]),
        "min_probability": (0.5, ["switch"]),
        "meta": ({"a": 1}, ["switch"]),
        "seed": (1, ["switch"]),
    },
}
# What has options of its own, which are gone over below.
COMPONENTS = {"read.options", "translator.options", "projector.options", "output.options", "rows.options"}
COMPONENTS |= {"align.options", "options", "unit", "counterpart", "constraint", "sampler"}
# In no signature of the rows: how many are read at a time, which formats are written, and whether with scores. The
# files of a code-switched set have a batch for each shard.
NOT_OF_THE_ROWS = {"shard_rows", "rows.shard_rows", "output.formats", "output.scores"}


class Echo:
    """A translator from outside: every text is its own translation."""

    signature = "mt:echo"
    marker_aware = False

    def __init__(self) -> None:
        from spanferry.translators.engine.limits import Limits

        self.limits = Limits(100, 100)

    def supports(self, source: str, target: str) -> bool:
        return True

    def translate(self, texts: Any, source: str, target: str) -> Any:
        from spanferry.corpora.schema import Translation

        return [Translation(text) for text in texts]


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Flows:
    return Flows(tmp_path_factory.mktemp("inputs"))


@pytest.mark.parametrize("flow", CONFIGS)
def test_every_key_has_a_case(flow: str) -> None:
    known = leaves(CONFIGS[flow][0])
    unused = {"read.target", "read.pair_by"} if flow == "translate-train" else set()
    unused |= {
        name
        for name in known
        if flow == "project" and name.startswith(("translator.", "segment.", "variants.", "repair", "best_of"))
    }
    assert set(CASES[flow]) == set(known) - COMPONENTS - unused
    for name, is_neutral in known.items():
        if name in CASES[flow] and is_neutral:
            assert not CASES[flow][name][1], f"{name} is neutral and has no step"


@pytest.mark.parametrize(("flow", "key"), [(flow, key) for flow, cases in CASES.items() for key in cases])
def test_a_key_changes_the_steps_from_where_it_is_used(flows: Flows, flow: str, key: str) -> None:
    value, first, *more = CASES[flow][key]
    settings = {**BASE[flow], **(more[0] if more else {})}
    before, after = flows.build(flow, settings), flows.build(flow, {**settings, key: value})
    assert before.changed(after) == before.from_on(first) & after.steps.keys(), key
    assert all(isinstance(step.signature, Signature) for step in after.steps.values())
    if before.flow.signatures.keys() == after.flow.signatures.keys():
        of_rows = bool(first) and (key not in NOT_OF_THE_ROWS or flow == "code-switch")
        if not first and before.steps.keys() != after.steps.keys():
            return  # other steps, such as links or none: compared by name above
        if flow == "parallel" and key == "seed":
            of_rows = False  # only which rows the report shows
        assert (before.flow.signatures != after.flow.signatures) == of_rows, key


def test_decisions_and_options_of_the_corrected_dataset(tmp_path: Path) -> None:
    row = pair("r0", ("Ann ran.", [("Ann", "person")]), ("Ana corrió.", ["Ana"]), lang="es")
    out = write_run(tmp_path / "run", {"es": [row]})
    session = open_session(out)
    version = session.row_index.data[0].version

    def digests(**options: Any) -> dict[str, str]:
        (flow,) = apply_flows(build_config(ApplyConfig, "apply-decisions", options={"out": out, **options}))
        assert all(isinstance(step.signature, Signature) for step in flow.outputs)
        return {step.name: step.digest for step in flow.outputs}

    session.decide(0, 0, version, Edit("accept", "s0", quote="Ana"))
    plain = digests()
    both = {"output.formats": ["arrow", "jsonl"]}
    assert digests(**both).items() > plain.items(), "a further format changes nothing of the others"
    other = digests(**both, **{"output.options.jsonl.source": False})
    assert {name for name in other if other[name] != digests(**both)[name]} == {"emit-es-reviewed-jsonl"}
    assert digests(limit=1) != plain and digests(target=["es"]) == plain
    assert digests(**{"executor.workers": 1}) == plain
    session.decide(0, session.state(0, session.row_index.pair(0)).version, version, Edit("keep"))
    assert digests() != plain
    unused = {"target", "limit", "output.formats", "output.options", "out"}
    assert {name for name in leaves(ApplyConfig) if not name.startswith("executor.")} == unused


def test_a_call_from_python_states_the_same_choices(flows: Flows) -> None:
    rows = list(open_reader(flows.inputs["en"], lang="en").read())

    def signature(**options: Any) -> Signature:
        return Signature(translate_train(rows, source="en", target="es", projector="copy", **options)[0].signature)

    plain = signature()
    assert [key for key, _ in plain.entries] == ["seg", "mt", "ct2", "beam", "proj", "fit", "filt", "lang"]
    others = [signature(fit_rows=5), signature(filters=[]), signature(projector_options={"ratio": 0.5})]
    assert len({plain, *others}) == 4
    by_flow = flows.build("translate-train", {**BASE["translate-train"], "projector.kind": "copy"})
    stated = dict(Signature(by_flow.flow.signatures["es"]).entries)
    assert {key: stated[key] for key, _ in plain.entries} == dict(plain.entries)
