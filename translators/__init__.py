"""Text to text on CTranslate2: model families, conversion, scoring, the bundled models."""

TRANSLATORS = {
    "parallel": "spanferry.translators.parallel:ParallelTranslator",
    "endpoint": "spanferry.translators.endpoints.endpoint:Endpoint",
    "firefox": "spanferry.translators.firefox.translator:FirefoxTranslator",
}
"""Translators that are not a model directory. ``endpoint`` needs a model's name: ``endpoint:MODEL``;
``firefox`` downloads its models, ``firefox:DIR`` takes a folder of them."""
