"""What the engine reports while it works; ``spanferry.flows.engine.display`` shows it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Failure:
    """A shard that could not be computed.

    Attributes:
        stage: The step, such as ``translate-es``.
        target: The group it belongs to, such as the target language.
        shard: Number of the shard.
        error: What went wrong.
    """

    stage: str
    target: str
    shard: int
    error: BaseException

    @property
    def message(self) -> str:
        """What went wrong; of an error that is not ours its class too, since some say nothing else."""
        from spanferry.corpora.errors import SpanferryError

        own = isinstance(self.error, SpanferryError)
        return str(self.error) if own else f"{type(self.error).__name__}: {self.error}"


@dataclass(slots=True)
class Outcome:
    """What a run did.

    Attributes:
        shards: How many shards the input has, by the step that reads it.
        computed: Shards computed now, by step; the others were there.
        failures: Shards that failed; what depends on them was not run.
        stopped: Why the run stopped before it was done, where its budget is spent.
    """

    shards: dict[str, int] = field(default_factory=dict)
    computed: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    stopped: str | None = None


class Progress:
    """What the engine reports. This one keeps silent."""

    def update(self, step: str, done: int, total: int | None) -> None:
        """``done`` of ``total`` rows of a step are done (None: the total is not known yet)."""

    def finish(self, step: str) -> None:
        """The step is through."""
