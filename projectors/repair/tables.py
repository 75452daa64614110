"""The word translations that a repair judges and words by."""

from spanferry.corpora.errors import ConfigError
from spanferry.projectors.filters.span_fidelity import FidelityTables, fidelity_tables
from spanferry.translators.bundled.priors import available


def repair_tables(source: str, target: str) -> FidelityTables:
    """The word translations that a repair needs.

    Raises:
        ConfigError: There are none for these languages.
    """
    found = fidelity_tables(source, target)
    if found is None:
        raise ConfigError(
            f"a repair needs a table of word translations, and there is none from {source} to {target}",
            valid=", ".join(f"{a} and {b}" for a, b in available()),
            hint="leave --repair and --best-of out, or give terms of your own: --glossary FILE",
        )
    return found
