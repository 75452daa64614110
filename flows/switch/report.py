"""What a code-switched set measures: the switching metrics, how often units were switched, histograms."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from spanferry.corpora.metrics.switching import total_variation
from spanferry.corpora.metrics.switching_corpus import TOP, SwitchingStatistics, edges
from spanferry.corpora.report.markdown import table
from spanferry.corpora.report.svg import histogram_csv, histogram_svg
from spanferry.corpora.switching.samplers.histogram import HistogramSampler
from spanferry.corpora.switching.switcher import Switcher


def statistics_of(tables: Iterable[pa.Table], bins: int) -> SwitchingStatistics:
    """The metrics of emitted rows."""
    found = SwitchingStatistics(bins)
    for rows in tables:
        found.add_all(rows["langs"].to_pylist())
    return found


def switching_files(switcher: Switcher, tables: Iterable[pa.Table], counts: Counter[str]) -> dict[str, str]:
    """The files that describe the switching, by their path; ``section.md`` goes to the end of the report."""
    sampler = switcher.sampler
    bins = len(sampler.target) if isinstance(sampler, HistogramSampler) else 10
    found = statistics_of(tables, bins)
    summary: dict[str, Any] = found.summary()
    values: dict[str, Any] = {"metrics": summary, "units": dict(sorted(counts.items()))}
    offered = counts["with_counterpart"]
    values["rate_of_units"] = counts["switched"] / counts["units"] if counts["units"] else None
    values["rate_of_units_with_counterpart"] = counts["switched"] / offered if offered else None
    if isinstance(sampler, HistogramSampler) and any(found.histograms[sampler.measure]):
        values["distance_from_target"] = total_variation(found.histograms[sampler.measure], sampler.target)
    files = plot_files(found)
    files["switching.json"] = json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    files["histograms.json"] = histograms_json(found)
    files["section.md"] = _section(switcher, values, found)
    return files


def histograms_json(found: SwitchingStatistics) -> str:
    """Counts by measure, as the sampler ``histogram`` takes them."""
    value = {m: {"edges": edges(m, found.bins), "counts": counts} for m, counts in found.histograms.items()}
    return json.dumps(value, indent=2) + "\n"


def plot_files(found: SwitchingStatistics) -> dict[str, str]:
    """SVG and CSV of both histograms, of all rows and by the languages a row holds."""
    files = {}
    for name, part in (("all", found), *sorted(found.groups.items())):
        for measure in TOP:
            counts, ends = part.histograms[measure], edges(measure, part.bins)
            if sum(counts):
                stem = f"plots/{measure}-{name.replace('/', '_')}"
                files[f"{stem}.svg"] = histogram_svg(f"{name}: {measure.upper()}, rows", ends, counts)
                files[f"{stem}.csv"] = histogram_csv(ends, counts)
    return files


def _section(switcher: Switcher, values: dict[str, Any], found: SwitchingStatistics) -> str:
    numbers = [(name, _number(value)) for name, value in values["metrics"].items() if name != "tokens"]
    numbers += [(f"tokens {lang}", f"{count:,}") for lang, count in values["metrics"]["tokens"].items()]
    units = values["units"]
    asked = [("units found", units.get("units", 0)), ("with a counterpart", units.get("with_counterpart", 0))]
    asked += [("allowed by the constraint", units.get("allowed", 0)), ("switched", units.get("switched", 0))]
    reasons = [(name[4:], count) for name, count in units.items() if name.startswith("not:")]
    parts = ["## Switching\n", table(("metric", "value"), numbers)]
    parts += ["### Units\n", table(("units", "count"), asked)]
    if reasons:
        parts += ["Units that can't be switched, by reason:\n", table(("reason", "units"), sorted(reasons))]
    rows = [
        (name, g.utterances, _number(g.summary()["cmi"]), _number(g.summary()["spf"]))
        for name, g in sorted(found.groups.items())
    ]
    parts += ["### Languages of a row\n", table(("languages", "rows", "CMI", "SPF"), rows)]
    if "distance_from_target" in values:
        parts.append(f"Total-variation distance from the target histogram: {values['distance_from_target']:.4f}\n")
    if switcher.constraint.name == "matrix":
        parts.append("Rows without part-of-speech tags had the alignment form of the equivalence constraint only.\n")
    parts.append("![CMI](plots/cmi-all.svg) ![SPF](plots/spf-all.svg)\n")
    return "\n".join(parts)


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
