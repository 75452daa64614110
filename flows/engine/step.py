"""What a flow is made of: steps that depend on each other, each with a key that says what its work depends on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from spanferry.corpora.signature import Signature
from spanferry.flows.engine.store import Stage

Scope = Literal["read", "shard", "whole", "emit"]


@dataclass(frozen=True)
class Made:
    """What the work of a step returns.

    Attributes:
        table: The shard's rows; bytes for what is not a table, such as fitted tables; None: the work wrote its own.
        rows: How many rows are in it.
        counts: Whatever the step counts.
        parts: Further tables of the same shard, by name.
        facts: Of an ``emit`` step: what the closing table and the report show, as JSON values.
    """

    table: pa.Table | bytes | None = None
    rows: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, pa.Table] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One call of a step's work: resolved folders and numbers, nothing to interpret again.

    Attributes:
        inputs: The stages of the steps that this one comes after, in their order.
        own: The stage of this step.
        shard: Number of the shard; 0 for a step that sees all of them.
        shards: How many shards the rows have.
        place: Of an ``emit`` step: the folder to write.
        tick: Reports how many rows of this call are done, and raises where the run is to stop.
        rehearsal: Rows that a dry run reads at most; None: it is not one.
        positions: Which rows it reads; None: the first.
    """

    inputs: tuple[Stage, ...]
    own: Stage
    shard: int
    shards: int
    place: Path
    tick: Callable[[int], None]
    rehearsal: int | None = None
    positions: tuple[int, ...] | None = None


Work = Callable[[Job], Made]


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a flow.

    Attributes:
        name: Readable and short, such as ``translate-es``; part of folder names.
        key: Every choice that changes what the work makes, besides the steps before: the signature of the component
            that does it.
        work: What is done: called with a ``Job``. It goes to other processes, so it is a module's own function or an
            instance of a module's own class.
        after: The steps whose files it reads.
        scope: ``read`` makes the shards; ``shard`` works on one; ``whole`` waits for all; ``emit`` writes the output
            folder ``place``.
        group: What belongs together, such as the target language: groups run one after the other as far as they can.
        place: Of ``emit``: the folder below the run's.
    """

    name: str
    key: str
    work: Work
    after: tuple["Step", ...] = ()
    scope: Scope = "shard"
    group: str = ""
    place: str = ""

    @cached_property
    def signature(self) -> Signature:
        """The key and the digests of the steps before."""
        return Signature.of(self.key, *(("after", f"{step.name}-{step.digest}") for step in self.after))

    @cached_property
    def digest(self) -> str:
        """What the folder of the step's files is named by; follows from its key and all steps before it."""
        return self.signature.digest()

    @cached_property
    def base(self) -> "Step | None":
        """The step whose shards this one's are: the nearest ``read`` step before it; a ``read`` step's own."""
        return self if self.scope == "read" else next((s.base for s in self.after if s.base is not None), None)

    def stage(self, root: Path) -> Stage:
        """Its files below ``root``."""
        return Stage(self.name, self.signature, root)


def ordered(outputs: Sequence[Step]) -> list[Step]:
    """The outputs and all they depend on, each once, dependencies first."""
    found: dict[tuple[str, str], Step] = {}

    def add(step: Step) -> None:
        for before in step.after:
            add(before)
        found.setdefault((step.name, step.digest), step)

    for step in outputs:
        add(step)
    return list(found.values())
