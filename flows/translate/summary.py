"""What a run says at its end: a table, and the commands to go on."""

import json
from collections import Counter
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spanferry.flows.translate.emit import MADE_BY, PAID, Emitted, gold_scores
from spanferry.flows.translate.run import RunResult
from spanferry.projectors.bound.true_error import bound_rows, review_commands


def print_summary(result: RunResult, *, as_json: bool, console: Console) -> None:
    """Prints the closing table and the next commands, or one line of JSON.

    Args:
        result: What the run did.
        as_json: One JSON object on one line instead of the table.
        console: Console of standard output.
    """
    if as_json:
        # Machines read this: no wrapping, no markup.
        print(json.dumps(as_dict(result), ensure_ascii=False, sort_keys=True))
        return
    for emitted in result.emitted:
        console.print(_table(result, emitted))
    for failure in result.failures:
        console.print(
            f"stage {failure.stage}-{failure.target}, shard {failure.shard} failed: {failure.message}",
            style="red",
            markup=False,
        )
    if result.failures:
        console.print("The other shards are kept; the same command resumes the run.", style="red")
    if result.emitted:
        console.print(_speed(result))
        if asked := _asked(result):
            console.print(asked)
        _next_commands(result, console)


def as_dict(result: RunResult) -> dict[str, Any]:
    """The summary as JSON values."""
    return {
        "out": str(result.config.out),
        "seconds": round(result.seconds, 2),
        "languages": {e.target: {**_own(e), **gold_scores(e.counts)} for e in result.emitted},
        "computed": result.outcome.computed,
        **({"stopped": result.outcome.stopped} if result.outcome.stopped else {}),
        **({"endpoint": asked} if (asked := endpoint_usage(result)) else {}),
        "failures": [
            {"stage": f.stage, "target": f.target, "shard": f.shard, "error": f.message} for f in result.failures
        ],
    }


def _own(emitted: Emitted) -> dict[str, Any]:
    return {name: value for name, value in emitted.counts.items() if name not in ("read", "endpoint", MADE_BY)}


def _table(result: RunResult, emitted: Emitted) -> Table:
    counts = emitted.counts
    table = Table(title=f"{result.config.source} → {emitted.target}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    table.add_row("rows", f"{counts['rows']:,}", "")
    table.add_row("kept", f"{counts['kept']:,}", _share(counts["kept"], counts["rows"]))
    table.add_row("spans", f"{counts['spans']:,}", "in the source")
    if "repaired" in counts:
        table.add_row("  repaired", f"{counts['terms']:,}", f"in {counts['repaired']:,} rows")
    table.add_row("projected", f"{counts['projected']:,}", _share(counts["projected"], counts["spans"]))
    for reason, number in counts["unprojected"].items():
        table.add_row("  not projected", f"{number:,}", escape(reason))
    if "relations" in counts:
        table.add_row("relations", f"{counts['relations']:,}", "in the source")
        table.add_row("  kept", f"{counts['relations_kept']:,}", _share(counts["relations_kept"], counts["relations"]))
        for reason, number in counts["relations_lost"].items():
            table.add_row("  lost", f"{number:,}", escape(reason))
    table.add_row("rejected", f"{counts['rejected']:,}", "rows, by reason (a row may have several):")
    for reason, number in counts["reasons"].items():
        table.add_row("", f"{number:,}", escape(reason))
    for call, failed in counts.get("model_errors", {}).items():
        table.add_row("model failed", f"{failed['rows']:,}", escape(f"{call}: {failed['last']}"))
    if "max_error" in counts:
        for what, number, text in bound_rows(counts["max_error"]):
            table.add_row(what, number, escape(text))
    scores = gold_scores(counts)
    if scores:
        table.add_row(
            "F1", f"{scores['f1']:.3f}", f"precision {scores['precision']:.3f}, recall {scores['recall']:.3f}"
        )
    return table


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _speed(result: RunResult) -> str:
    rows = sum(e.counts["rows"] for e in result.emitted)
    if not result.outcome.computed:
        return f"nothing to do: everything is already there ({result.seconds:.1f} s)"
    return f"{rows:,} rows in {result.seconds:.1f} s, {rows / max(result.seconds, 1e-9):,.0f} rows/s including start-up"


def endpoint_usage(result: RunResult) -> dict[str, int]:
    """What an endpoint was asked and paid, over all shards and languages, in earlier runs too; empty without one."""
    total: Counter[str] = Counter()
    for emitted in result.emitted:
        total.update(emitted.counts.get("endpoint", {}))
    return {name: total[name] for name in PAID} if total["requests"] else {}


def _asked(result: RunResult) -> str:
    asked = endpoint_usage(result)
    if not asked:
        return ""
    cost = f", cost {asked['cost_millionths'] / 1e6:,.4f}" if asked["cost_millionths"] else ""
    again = f" ({asked['retries']:,} tried again)" if asked["retries"] else ""
    return (
        f"the endpoint answered {asked['requests']:,} requests{again}: {asked['prompt_tokens']:,} tokens in, "
        f"{asked['completion_tokens']:,} out{cost}"
    )


# Rows from which a run is not a try any more, and the bundled model too weak.
_FOR_TRYING = 200


def _next_commands(result: RunResult, console: Console) -> None:
    out = result.config.out
    first = result.emitted[0].target
    lines = [
        ("the dataset", f"python -c \"import datasets; print(datasets.load_from_disk('{out}/{first}'))\""),
        ("the report", f"less {out}/{first}/report.md"),
        ("in a browser", f"{out}/{first}/report.html"),
    ]
    if result.config.flow == "translate-train":
        lines.append(("your own data", "spanferry run translate-train --input FILE --source en --target es --out DIR"))
        if result.config.translator.model == "bundled" and result.emitted[0].counts["rows"] > _FOR_TRYING:
            pair = f"--source {result.config.source} --target {first}"
            lines.append(("better models", f"spanferry models suggest {pair}"))
    if any(not e.counts["max_error"]["holds"] for e in result.emitted if "max_error" in e.counts):
        lines += [("review 50 rows", command) for command in review_commands(str(out))]
    lines.append(("what there is", "spanferry list"))
    lines.append(("look at it", f"spanferry inspect {out}"))
    for title, command in lines:
        console.print(f"[dim]{title:>14}[/]  {escape(command)}", soft_wrap=True)
