import os
from pathlib import Path

import pytest

from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.loading.load import bundled_directories


@pytest.fixture(scope="session")
def model() -> CT2Translator:
    """A bundled model that reads markers, or the one that SPANFERRY_TEST_MODEL names."""
    given = os.environ.get("SPANFERRY_TEST_MODEL")
    directories = [Path(given)] if given else bundled_directories()
    if not directories:
        pytest.skip("no bundled model; set SPANFERRY_TEST_MODEL")
    return CT2Translator(directories[0], device="cpu")
