"""Text to text on CTranslate2: model families, conversion, scoring, the bundled models."""

TRANSLATORS = {
    "parallel": "translators.parallel:ParallelTranslator",
    "endpoint": "translators.endpoint:Endpoint",
}
"""Translators that are not a model directory. ``endpoint`` needs a model's name: ``endpoint:MODEL``."""
