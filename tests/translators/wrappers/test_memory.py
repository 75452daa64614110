"""The translation memory: the same bytes with and without, between processes, and when its file is broken."""

import contextlib
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Translation
from spanferry.translators.engine.ct2 import CT2Translator
from spanferry.translators.wrappers.memory import RememberingTranslator, TranslationMemory, memory_path, open_memory
from spanferry.translators.wrappers.protect import ProtectedTranslator
from spanferry.translators.wrappers.wrap import wrap

TEXTS = ["I have two cats.", "Good morning!", "", "Where is the station?", "Good morning!", "a \ud83d b", "I know."]


class Counting:
    """A translator that counts what it is asked for."""

    def __init__(self, inner: CT2Translator, *, rows_independent: bool = True, signature: str = "") -> None:
        self.inner, self.rows_independent, self.asked = inner, rows_independent, list[str]()
        self.signature = signature or inner.signature

    def supports(self, source: str, target: str) -> bool:
        return True

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
        self.asked += texts
        return self.inner.translate(texts, source, target)


@pytest.fixture
def memory(tmp_path: Path) -> TranslationMemory:
    return TranslationMemory(tmp_path / "memory.sqlite", 10)


def test_a_hit_is_what_the_model_gives_to_the_last_bit(model: CT2Translator, memory: TranslationMemory) -> None:
    plain = model.translate(TEXTS, "en", "es")
    first, second = Counting(model), Counting(model)
    assert RememberingTranslator(first, memory).translate(TEXTS[:3], "en", "es") == plain[:3]
    again = RememberingTranslator(second, memory)
    assert again.translate(TEXTS, "en", "es") == plain
    assert second.asked == ["Where is the station?", "a \ud83d b", "I know."], "each text once, none that was seen"
    assert again.translate(TEXTS, "en", "es") == plain and len(second.asked) == 3
    assert again.signature == model.signature
    assert list(again.stream(iter(TEXTS), "en", "es")) == plain and again.translate([], "en", "es") == []


def test_every_choice_has_entries_of_its_own(model: CT2Translator, memory: TranslationMemory) -> None:
    RememberingTranslator(Counting(model), memory).translate(["I know."], "en", "es")
    for counting, direction in (
        (Counting(model), ("en", "de")),
        (Counting(model, signature="other"), ("en", "es")),
    ):
        RememberingTranslator(counting, memory).translate(["I know."], *direction)
        assert counting.asked == ["I know."]
    assert len(memory) == 3
    protected = RememberingTranslator(ProtectedTranslator(model), memory)
    assert protected.translate(["I know {a}."], "en", "es")[0].text == "Sé {a}." or len(memory) == 4


def test_rows_that_hang_together_are_kept_together(model: CT2Translator, memory: TranslationMemory) -> None:
    counting = Counting(model, rows_independent=False)
    remembering = RememberingTranslator(counting, memory)
    found = remembering.translate(["I know.", "Good morning!"], "en", "es")
    assert remembering.translate(["I know.", "Good morning!"], "en", "es") == found and len(counting.asked) == 2
    remembering.translate(["I know."], "en", "es")
    assert counting.asked == ["I know.", "Good morning!", "I know."], "the same text in another call is translated"


def test_a_model_error_is_tried_again(memory: TranslationMemory) -> None:
    class Failing:
        signature, rows_independent, calls = "mt:failing", True, 0

        def translate(self, texts: Sequence[str], source: str, target: str) -> list[Translation]:
            self.calls += 1
            return [Translation("", reason="model_error") for _ in texts]

    failing = Failing()
    for _ in range(2):
        assert RememberingTranslator(failing, memory).translate(["x"], "en", "es")[0].reason == "model_error"
    assert failing.calls == 2 and len(memory) == 0


def test_it_keeps_below_its_size(tmp_path: Path) -> None:
    memory = TranslationMemory(tmp_path / "m.sqlite", 1)
    entry = "x" * 1000
    for start in range(0, 4000, 250):
        memory.put([(n.to_bytes(16, "big"), entry) for n in range(start, start + 250)])
        assert memory.path.stat().st_size < 1_400_000
    assert memory.get([n.to_bytes(16, "big") for n in (0, 3999)]) == {(3999).to_bytes(16, "big"): entry}


@pytest.mark.parametrize("broken", ["no database", "no folder"])
def test_without_a_usable_file_everything_is_translated(
    broken: str, model: CT2Translator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "memory.sqlite"
    if broken == "no database":
        path.write_bytes(b"this is not a database, only a file of that name" * 100)
    else:
        path = path / "below" / "memory.sqlite"
        (tmp_path / "memory.sqlite").write_text("a file where a folder should be")
    remembering = RememberingTranslator(model, TranslationMemory(path, 10))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert remembering.translate(["I know."], "en", "es") == model.translate(["I know."], "en", "es")
    assert [record.getMessage().count("translations are not kept") for record in caplog.records] == [1]


@pytest.mark.parametrize("damage", ["other text", "entries swapped", "cut", "another type", "no bytes of a text"])
def test_a_damaged_entry_is_never_read(
    damage: str, model: CT2Translator, memory: TranslationMemory, caplog: pytest.LogCaptureFixture
) -> None:
    texts = ["I know.", "Good morning!", "She is a doctor."]
    remembering = RememberingTranslator(model, memory)
    right = remembering.translate(texts, "en", "es")
    changes = {
        "other text": ("UPDATE translations SET entry = CAST(replace(CAST(entry AS TEXT), 'o', 'a') AS BLOB)", ()),
        "entries swapped": ("UPDATE translations SET entry = (SELECT max(entry) FROM translations)", ()),
        "cut": ("UPDATE translations SET entry = substr(entry, 1, 30)", ()),
        "another type": ("UPDATE translations SET entry = 7", ()),
        "no bytes of a text": ("UPDATE translations SET entry = ?", (b"\xff\xfe" * 20,)),
    }
    with contextlib.closing(sqlite3.connect(memory.path)) as store, store:
        store.execute(*changes[damage])
    with caplog.at_level(logging.WARNING):
        assert remembering.translate(texts, "en", "es") == right
    assert "damaged translation" in caplog.text
    caplog.clear()
    assert remembering.translate(texts, "en", "es") == right and not caplog.records, "written anew"


def test_a_file_that_failed_is_not_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    memory = TranslationMemory(tmp_path / "m.sqlite", 10)
    memory.path.write_bytes(b"no database" * 1000)
    with caplog.at_level(logging.WARNING):
        assert memory.get([b"k" * 16]) == {}
        memory.path.unlink()
        memory.put([(b"k" * 16, "entry")])
        assert memory.get([b"k" * 16]) == {} and len(memory) == 0
    assert len(caplog.records) == 1 and not memory.path.exists()


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_gives_what_was_written_or_nothing(tmp_path: Path, seed: int) -> None:
    entries = {n.to_bytes(16, "big"): f'[["text {n}", [], 0.5, false, null]]' for n in range(200)}
    path = tmp_path / "m.sqlite"
    TranslationMemory(path, 10).put(list(entries.items()))
    content, random = bytearray(path.read_bytes()), Random(seed)
    for _ in range(1 + seed * 3):
        content[random.randrange(len(content))] = random.randrange(256)
    path.write_bytes(content)
    found = TranslationMemory(path, 10).get(list(entries))
    assert found.items() <= entries.items()


_WRITER = """
import sys
from pathlib import Path
from random import Random
from spanferry.translators.wrappers.memory import TranslationMemory
memory = TranslationMemory(Path(sys.argv[1]), 50)
for n in range(8):
    memory.put([(bytes([int(sys.argv[2])]) + (n * 20 + i).to_bytes(15, "big"), "entry") for i in range(20)])
    memory.put([(b"shared" + n.to_bytes(10, "big"), "entry")])
"""


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    running = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), str(n)], stderr=subprocess.PIPE, text=True)
        for n in range(2)
    ]
    assert [process.communicate(timeout=120)[1] for process in running] == ["", ""]
    assert len(TranslationMemory(path, 50)) == 2 * 160 + 8
    with sqlite3.connect(path) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_wrap_and_its_switches(model: CT2Translator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path))
    assert memory_path() == tmp_path / "memory.sqlite"
    assert wrap(model) is model and wrap(None, protect=True, memory_mb=5) is None
    both = wrap(model, protect=True, memory_mb=5)
    assert isinstance(both, RememberingTranslator) and isinstance(both.inner, ProtectedTranslator)
    assert both.signature == f"{model.signature}|protect:2" and both.rows_independent
    both.translate(["Open {file}."], "en", "es")
    assert len(open_memory(5, memory_path())) == 1
    with pytest.raises(ConfigError, match="memory_mb=-1"):
        wrap(model, memory_mb=-1)
