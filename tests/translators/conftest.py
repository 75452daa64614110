import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.loading.load import bundled_directories
from tests.translators.endpoint_server import KEY, Server


@pytest.fixture(scope="session")
def model_directory() -> Path:
    """The first bundled model, or the one that SPANFERRY_TEST_MODEL names."""
    if given := os.environ.get("SPANFERRY_TEST_MODEL"):
        return Path(given)
    return bundled_directories()[0]


@pytest.fixture(scope="session")
def model(model_directory: Path) -> CT2Translator:
    return CT2Translator(model_directory, device="cpu")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An endpoint in this process; the key is set, and nobody waits between tries."""
    monkeypatch.setenv("SPANFERRY_API_KEY", KEY)
    monkeypatch.setattr("spanferry.translators.endpoints.endpoint.backoff", lambda prompt, attempt: 0.0)
    found = Server()
    yield found
    found.http.shutdown()
    found.http.server_close()
