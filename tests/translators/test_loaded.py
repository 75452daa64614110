"""Engines in memory: shared while used, freed in the order of their last use, never one that is used."""

import threading
from pathlib import Path

from spanferry.projectors.aligners.encoder.aligner import EncoderAligner
from spanferry.translators.engine import devices
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.engine.loaded import Engines


class _Engine:
    pass


def test_the_last_ones_stay_and_older_ones_are_freed_before_the_next_is_loaded() -> None:
    engines, at_load = Engines(2), []

    def make() -> _Engine:
        at_load.append(engines.count("cpu"))
        return _Engine()

    for key in ("a", "b", "a", "c", "a"):
        engines.get(key, "cpu", make)
    assert at_load == [0, 1, 1], "b was freed for c; a stayed, since it was asked for after b"
    assert engines.count("cpu") == 2


def test_what_is_used_stays_and_is_shared() -> None:
    engines = Engines(1)
    used = engines.get("a", "cpu", _Engine)
    for key in ("b", "c"):
        engines.get(key, "cpu", _Engine)
    assert engines.get("a", "cpu", _Engine) is used
    assert engines.count("cpu") == 1


def test_each_device_has_its_own() -> None:
    engines = Engines(1)
    engines.get("a", "cpu", _Engine)
    engines.get("b", "cuda", _Engine)
    assert (engines.count("cpu"), engines.count("cuda")) == (1, 1)


def test_threads_that_ask_at_once_get_one() -> None:
    engines, start, made = Engines(2), threading.Barrier(4), []
    found: list[_Engine] = []

    def make() -> _Engine:
        made.append(1)
        return _Engine()

    def ask() -> None:
        start.wait()
        found.append(engines.get("a", "cpu", make))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and len(set(map(id, found))) == 1


def test_translators_and_encoders_are_shared_by_what_they_are(model_directory: Path) -> None:
    first, second = CT2Translator(model_directory), CT2Translator(model_directory, beam=1)
    assert first.raw is second.raw
    one, other = EncoderAligner(device="cpu"), EncoderAligner(method="argmax", device="cpu")
    assert one._encoder is other._encoder


def test_other_weights_in_the_same_place_are_another_engine(model_directory: Path, tmp_path: Path) -> None:
    for path in model_directory.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = devices.file_key(tmp_path)
    (tmp_path / "model.bin").write_bytes((model_directory / "model.bin").read_bytes() + b"\0")
    assert devices.file_key(tmp_path) != before
