"""The server without a browser: who is let in, what answers say, and what no request can reach."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from spanferry.flows.inspector.app import build_app
from tests.flows.inspector.inspector_runs import NULLS, SCRIPTS, open_session, pair, write_run

HOME = "http://127.0.0.1:9999"
JSON = {"origin": HOME, "content-type": "application/json"}


def _client(tmp_path: Path, **options: Any) -> TestClient:
    rows = [
        pair("r0", ("A 😀 cat", [("cat", "animal")]), ("Un 😀 gato", ["gato"]), lang="es"),
        pair("r1", (SCRIPTS, [("script", "tag")]), (NULLS, ["gold"]), lang="es"),
        pair("r2", ("A cow", [("cow", "animal")]), ("Una vaca", [None]), lang="es", reasons=["language:pt"]),
    ]
    out = write_run(tmp_path / "run", {"es": rows})
    (out / "es" / "plots").mkdir()
    (out / "es" / "plots" / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "secret.svg").write_text("secret")
    return TestClient(build_app(open_session(out), title="run", **options), base_url=HOME, follow_redirects=False)


def _wish(client: TestClient, **values: Any) -> dict[str, Any]:
    data = client.get("/api/pair/0").json()
    quote = data["spans"][0]["target"]["quote"]
    base = {"row": 0, "version": data["version"], "dataset": data["dataset"], "span": "s0", "quote": quote}
    return {**base, "action": "accept", **values}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9999", "127.0.0.1.evil.example", "", "localhost.x:1"])
def test_a_foreign_name_is_turned_away(host: str, tmp_path: Path) -> None:
    assert _client(tmp_path).get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:9999", "localhost:1", "[::1]:80", "localhost"])
def test_the_machines_own_names_are_let_in(host: str, tmp_path: Path) -> None:
    assert _client(tmp_path).get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_only_pages_of_this_server_change_anything(headers: dict[str, str], status: int, tmp_path: Path) -> None:
    client = _client(tmp_path)
    answer = client.post("/api/decide", content=json.dumps(_wish(client)), headers={**JSON, **headers})
    assert answer.status_code == status
    assert not (tmp_path / "run" / "decisions.jsonl").exists()


def test_too_much_at_once(tmp_path: Path) -> None:
    assert _client(tmp_path).post("/api/decide", content=b"x" * (2 << 20), headers=JSON).status_code == 413


def test_a_token_where_others_can_reach_the_server(tmp_path: Path) -> None:
    client = _client(tmp_path, token="t-1")
    assert client.get("/").status_code == 403
    assert client.get("/?token=wrong").status_code == 403
    let_in = client.get("/rows", params={"token": "t-1", "sort": "score"})
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/rows?sort=score")
    assert "HttpOnly" in let_in.headers["set-cookie"] and "SameSite=Strict" in let_in.headers["set-cookie"]


def test_after_the_token_a_cookie(tmp_path: Path) -> None:
    client = _client(tmp_path, token="abc")
    client.get("/?token=abc")
    assert client.get("/rows", headers={"host": "session.example"}).status_code == 200
    assert client.get(f"{HOME}//evil.example/?token=abc").headers["location"].startswith("/evil")


def test_pages_say_what_a_browser_may_do(tmp_path: Path) -> None:
    client = _client(tmp_path)
    for path in ("/", "/rows", "/pair/1", "/report", "/history", "/export", "/static/pair.js", "/nope"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script>window" not in answer.text and "<img src=x" not in answer.text
    picture = client.get("/plots/0/a.svg").headers["content-security-policy"]
    assert "script-src" not in picture and "default-src 'none'" in picture and "sandbox" in picture


@pytest.mark.parametrize(
    "path",
    [
        "/plots/0/..%2f..%2f..%2fsecret.svg",
        "/plots/0/../../../secret.svg",
        "/plots/7/a.svg",
        "/plots/-1/a.svg",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/pair/3",
        "/pair/-1",
        "/api/pair/99999999999999999999",
    ],
)
def test_nothing_outside_can_be_read(path: str, tmp_path: Path) -> None:
    answer = _client(tmp_path).get(path)
    assert answer.status_code in (404, 422) and "secret" not in answer.text.replace("secret.svg", "")


def test_offsets_are_utf16_on_the_wire_and_code_points_on_the_disk(tmp_path: Path) -> None:
    client = _client(tmp_path)
    span = client.get("/api/pair/0").json()["spans"][0]
    assert span["target"]["start"] == 6 and span["source"]["start"] == 5
    moved = _wish(client, action="move", start=3, end=10, quote="😀 gato")
    answer = client.post("/api/decide", json=moved, headers=JSON)
    assert answer.status_code == 200, answer.text
    verdict = json.loads((tmp_path / "run" / "decisions.jsonl").read_text())["verdicts"][0]
    assert (verdict["start"], verdict["end"], verdict["quote"]) == (3, 9, "😀 gato")
    inside = _wish(client, action="move", start=4, end=10, quote="gato")
    assert client.post("/api/decide", json=inside, headers=JSON).status_code == 422


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"version": 7}, 409),
        ({"dataset": "other"}, 409),
        ({"quote": "perro"}, 409),
        ({"action": "steal"}, 422),
        ({"span": "s7"}, 422),
        ({"row": 99}, 404),
        ({"row": "0"}, 422),
        ({"action": ["accept"]}, 422),
        ({"action": "move", "start": True, "end": 2}, 422),
        ({"action": "move", "start": None, "end": None}, 422),
    ],
)
def test_a_decision_that_does_not_fit(change: dict[str, Any], status: int, tmp_path: Path) -> None:
    client = _client(tmp_path)
    answer = client.post("/api/decide", json=_wish(client, **change), headers=JSON)
    assert answer.status_code == status and answer.json()["error"]
    log = tmp_path / "run" / "decisions.jsonl"
    assert not log.exists() or not log.read_text()


def test_null_bytes_and_line_ends_travel_whole(tmp_path: Path) -> None:
    data = _client(tmp_path).get("/api/pair/1").json()
    assert data["target"]["texts"][0]["text"] == NULLS
    assert data["target"]["texts"][0]["hidden"] == ["U+0000 CONTROL", "U+0007 CONTROL", "U+001B CONTROL"]


def test_history_tells_who_did_what(tmp_path: Path) -> None:
    client = _client(tmp_path)
    made = client.post("/api/decide", json=_wish(client), headers=JSON).json()["decision"]
    client.post("/api/undo", json={"decision": made}, headers=JSON)
    text = client.get("/history").text
    assert "tester" in text and "taken back" in text and text.count("<tr") == 3
    assert client.post("/api/undo", json={"decision": "nope"}, headers=JSON).status_code == 422


@pytest.mark.parametrize("name", ["jsonl", "conll", "label_studio", "doccano", "decisions"])
def test_every_export_is_a_zip(name: str, tmp_path: Path) -> None:
    client = _client(tmp_path)
    client.post("/api/decide", json=_wish(client), headers=JSON)
    answer = client.get(f"/export?format={name}&kept=kept")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None and archive.namelist()


def test_export_knows_its_formats(tmp_path: Path) -> None:
    answer = _client(tmp_path).get("/export?format=../../x")
    assert answer.status_code == 400 and "unknown export format" in answer.text


def test_rates_and_plots_are_in_the_report(tmp_path: Path) -> None:
    client = _client(tmp_path)
    client.post("/api/decide", json=_wish(client), headers=JSON)
    text = client.get("/report").text
    assert "/plots/0/a.svg" in text and "By label" in text and "animal" in text and "(21–100)" in text
