"""Text to text on CTranslate2: model families, conversion, scoring, the bundled models."""
