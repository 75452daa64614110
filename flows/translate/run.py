"""From a configuration to a finished run directory: what both the command line and a library call."""

from rich.console import Console

from spanferry.flows.config import RunConfig
from spanferry.flows.engine.flow import Result, rehearse, run
from spanferry.flows.translate.emit import Emitted
from spanferry.flows.translate.flow import translate_flow


class RunResult(Result):
    """What ``translate-train`` or ``project`` wrote."""

    config: RunConfig

    @property
    def emitted(self) -> list[Emitted]:
        """One entry per target language that was finished, with what further formats could not hold."""
        found = []
        for target in self.config.target:
            if target in self.facts:
                lost = {
                    name: facts["lost"]
                    for name in self.config.output.formats
                    if (facts := self.facts.get(target if name == "arrow" else f"{target}-{name}")) and facts["lost"]
                }
                found.append(Emitted(target, self.config.out / target, {**self.facts[target], "lost": lost}))
        return found

    @property
    def failed_rows(self) -> int:
        """Rows that could not be read or translated, over all languages."""
        return sum(emitted.counts["failed_rows"] for emitted in self.emitted)


def run_flow(
    config: RunConfig, console: Console | None = None, *, overwrite: bool = False, prefect: bool = True
) -> RunResult:
    """Runs what is not done yet and writes ``OUT/<target>`` for every target language.

    Args:
        config: The resolved configuration.
        console: Where progress goes; None keeps silent.
        overwrite: Forget what an earlier run has done.
        prefect: Whether it is a Prefect flow run; without, it runs in threads of this process.

    Raises:
        SpanferryError: Before any work, for input, options, models or an output place that can't do.
    """
    return as_run(config, run(translate_flow(config), console, overwrite=overwrite, prefect=prefect))


def as_run(config: RunConfig, done: Result) -> RunResult:
    """What a run of these flows wrote, by language."""
    return RunResult(config, done.written, done.facts, done.outcome, done.seconds)


def dry_run(config: RunConfig, console: Console) -> None:
    """Resolves everything, checks model, paths and disk, pushes some rows through all steps, and writes nothing."""
    rehearse(translate_flow(config), console)
