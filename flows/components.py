"""Every table of components by kind, for ``spanferry list``."""

from collections.abc import Mapping

from spanferry.corpora.derive import DERIVATIONS
from spanferry.corpora.filters import FILTERS
from spanferry.corpora.readers import READERS
from spanferry.corpora.readers.multiway import PARALLEL_READERS
from spanferry.corpora.switching import CONSTRAINTS, COUNTERPARTS, SAMPLERS, UNITS
from spanferry.corpora.switching.presets import PRESETS
from spanferry.corpora.writers import WRITERS
from spanferry.corpora.writers.parallel import PARALLEL_WRITERS
from spanferry.projectors import PROJECTORS
from spanferry.projectors.aligners import ALIGNERS
from spanferry.translators import TRANSLATORS
from spanferry.translators.families import FAMILIES

FLOWS = {
    "translate-train": "translate annotated data and carry its labels over",
    "project": "carry labels over to a given translation",
    "parallel": "join runs and files into rows of several languages, with spans and alignments",
    "derive": "make a training set of such rows, such as instructions, prompts, a dictionary, word pairs",
    "code-switch": "mix languages within texts and keep the labels",
    "apply-decisions": "write the corrected dataset from what people decided in the inspector",
}

SAMPLES = {
    "sentences": "200 English sentences of nine domains with entities, slots and times",
    "documents": "20 English texts of several sentences",
}

KINDS: Mapping[str, Mapping[str, str]] = {
    "flows": FLOWS,
    "readers": READERS,
    "writers": WRITERS,
    "parallel-readers": PARALLEL_READERS,
    "parallel-writers": PARALLEL_WRITERS,
    "derivations": DERIVATIONS,
    "units": UNITS,
    "counterparts": COUNTERPARTS,
    "constraints": CONSTRAINTS,
    "samplers": SAMPLERS,
    "presets": {name: preset.about for name, preset in PRESETS.items()},
    "projectors": PROJECTORS,
    "aligners": ALIGNERS,
    "filters": FILTERS,
    "translators": TRANSLATORS,
    "families": FAMILIES,
    "samples": SAMPLES,
}
