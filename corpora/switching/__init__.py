"""Code-switched text with its labels kept: unit x counterpart x constraint x sampler.

Rows go through in batches of arrays (``SwitchBatch``), not one by one. A unit is a stretch of words of the matrix
language, a candidate is what may stand in its place, a constraint strikes candidates out, a sampler chooses among what
is left, and ``render`` writes the text, moves the spans and records every change so that it can be undone.
"""

UNITS = {
    "span": "spanferry.corpora.switching.units.span:SpanUnits",
    "word": "spanferry.corpora.switching.units.word:WordUnits",
    "phrase": "spanferry.corpora.switching.units.phrase:PhraseUnits",
    "clause": "spanferry.corpora.switching.units.clause:ClauseUnits",
    "sentence": "spanferry.corpora.switching.units.clause:SentenceUnits",
    "chunk": "spanferry.corpora.switching.units.chunk:ChunkUnits",
    "document": "spanferry.corpora.switching.units.chunk:DocumentUnits",
}
COUNTERPARTS = {
    "alignment": "spanferry.corpora.switching.counterparts.alignment:AlignmentCounterparts",
    "dictionary": "spanferry.corpora.switching.counterparts.dictionary:DictionaryCounterparts",
    "entities": "spanferry.corpora.switching.counterparts.entities:EntityCounterparts",
    "transliteration": "spanferry.corpora.switching.counterparts.transliteration:TransliterationCounterparts",
}
CONSTRAINTS = {
    "none": "spanferry.corpora.switching.constraints.none:NoConstraint",
    "equivalence": "spanferry.corpora.switching.constraints.equivalence:EquivalenceConstraint",
    "matrix": "spanferry.corpora.switching.constraints.matrix:MatrixConstraint",
}
SAMPLERS = {
    "probability": "spanferry.corpora.switching.samplers.probability:ProbabilitySampler",
    "cmi": "spanferry.corpora.switching.samplers.cmi:CmiSampler",
    "histogram": "spanferry.corpora.switching.samplers.histogram:HistogramSampler",
}
