import os
from pathlib import Path

import pytest

from translators.ct2 import CT2Translator
from translators.load import bundled_directories


@pytest.fixture(scope="session")
def model_directory() -> Path:
    """The first bundled model, or the one that SPANFERRY_TEST_MODEL names."""
    if given := os.environ.get("SPANFERRY_TEST_MODEL"):
        return Path(given)
    return bundled_directories()[0]


@pytest.fixture(scope="session")
def model(model_directory: Path) -> CT2Translator:
    return CT2Translator(model_directory, device="cpu")
