"""Labels: aligners and projectors, (source, spans, target) -> projections."""

PROJECTORS = {
    "default": "projectors.default:DefaultProjector",
    "constrained": "projectors.constrained:ConstrainedProjector",
    "alignment": "projectors.alignment:AlignmentProjector",
    "markers": "projectors.markers:MarkersProjector",
    "candidates": "projectors.candidates:CandidatesProjector",
    "contextual": "projectors.contextual:ContextualProjector",
    "copy": "projectors.copying:CopyProjector",
    "ensemble": "projectors.ensemble:EnsembleProjector",
}
