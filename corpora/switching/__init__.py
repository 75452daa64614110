"""Code-switched text with its labels kept: unit x counterpart x constraint x sampler.

Rows go through in batches of arrays (``SwitchBatch``), not one by one. A unit is a stretch of words of the matrix
language, a candidate is what may stand in its place, a constraint strikes candidates out, a sampler chooses among what
is left, and ``render`` writes the text, moves the spans and records every change so that it can be undone.
"""

UNITS = {
    "span": "corpora.switching.units.span:SpanUnits",
    "word": "corpora.switching.units.word:WordUnits",
    "phrase": "corpora.switching.units.phrase:PhraseUnits",
    "clause": "corpora.switching.units.clause:ClauseUnits",
    "sentence": "corpora.switching.units.clause:SentenceUnits",
    "chunk": "corpora.switching.units.chunk:ChunkUnits",
    "document": "corpora.switching.units.chunk:DocumentUnits",
}
COUNTERPARTS = {
    "alignment": "corpora.switching.counterparts.alignment:AlignmentCounterparts",
    "dictionary": "corpora.switching.counterparts.dictionary:DictionaryCounterparts",
    "entities": "corpora.switching.counterparts.entities:EntityCounterparts",
    "transliteration": "corpora.switching.counterparts.transliteration:TransliterationCounterparts",
}
CONSTRAINTS = {
    "none": "corpora.switching.constraints.none:NoConstraint",
    "equivalence": "corpora.switching.constraints.equivalence:EquivalenceConstraint",
    "matrix": "corpora.switching.constraints.matrix:MatrixConstraint",
}
SAMPLERS = {
    "probability": "corpora.switching.samplers.probability:ProbabilitySampler",
    "cmi": "corpora.switching.samplers.cmi:CmiSampler",
    "histogram": "corpora.switching.samplers.histogram:HistogramSampler",
}
