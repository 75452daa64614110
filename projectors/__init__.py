"""Labels: aligners and projectors, (source, spans, target) -> projections."""

PROJECTORS = {
    "default": "spanferry.projectors.methods.default:DefaultProjector",
    "constrained": "spanferry.projectors.constrained.projector:ConstrainedProjector",
    "alignment": "spanferry.projectors.methods.alignment:AlignmentProjector",
    "markers": "spanferry.projectors.markers.projector:MarkersProjector",
    "candidates": "spanferry.projectors.methods.candidates:CandidatesProjector",
    "contextual": "spanferry.projectors.methods.contextual:ContextualProjector",
    "copy": "spanferry.projectors.methods.copying:CopyProjector",
    "ensemble": "spanferry.projectors.methods.ensemble:EnsembleProjector",
}
