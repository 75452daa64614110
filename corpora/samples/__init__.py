"""Annotated English samples: everyday sentences of nine domains, and short documents."""

from importlib.resources import files
from pathlib import Path

from spanferry.corpora.errors import unknown_name

_SAMPLES = ("sentences", "documents")


def sample_path(name: str) -> Path:
    """The JSONL file of a sample.

    Args:
        name: ``sentences`` (200 single sentences) or ``documents`` (20 texts of three to nine sentences).

    Raises:
        ConfigError: There is no sample of that name.
    """
    if name not in _SAMPLES:
        raise unknown_name("sample", name, _SAMPLES)
    return Path(str(files(__package__) / f"{name}.jsonl"))
