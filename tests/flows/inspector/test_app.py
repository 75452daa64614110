"""The server without a browser: who is let in, what answers say, and what no request can reach."""

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from spanferry.corpora.errors import InputError
from spanferry.flows.inspector.app import build_app
from spanferry.flows.inspector.runs import find_corpora
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


@pytest.mark.parametrize("chunked", [False, True])
def test_too_much_at_once(chunked: bool, tmp_path: Path) -> None:
    content = (b"x" * 65536 for _ in range(32)) if chunked else b"x" * (2 << 20)
    assert _client(tmp_path).post("/api/decide", content=content, headers=JSON).status_code == 413


def test_a_small_body_in_chunks_counts(tmp_path: Path) -> None:
    client = _client(tmp_path)
    parts = iter([json.dumps(_wish(client)).encode()])
    assert client.post("/api/decide", content=parts, headers=JSON).status_code == 200


def test_a_token_does_not_open_the_door_to_foreign_names(tmp_path: Path) -> None:
    client = _client(tmp_path, token="abc")
    assert client.get("/?token=abc", headers={"host": "evil.example"}).status_code == 403


WRONG = [None, True, False, 1.5, -1, 10**30, "x", "\ud800", [], [1], [[1, 2]], [["a", "b"]], {}, {"a": [1]}]


@pytest.mark.parametrize("path", ["/api/decide", "/api/undo", "/api/bulk"])
def test_no_wrong_type_is_an_answer_of_500_or_a_decision(path: str, tmp_path: Path) -> None:
    client = _client(tmp_path)
    edit = _wish(client, action="move", start=3, end=10, quote="😀 gato", fragments=[], label="x", field="text")
    right = {
        "/api/decide": edit,
        "/api/undo": {"decision": "x"},
        "/api/bulk": {"count": 4, "query": {}},
    }[path]
    bodies = [*WRONG, *({**right, key: value} for key in right for value in WRONG)]
    bodies += [{**right, "query": {key: value}} for key in ("label", "low", "id", "text", "sort") for value in WRONG]
    for body in bodies if path == "/api/bulk" else bodies[: len(bodies) - 5 * len(WRONG)]:
        answer = client.post(path, content=json.dumps(body), headers=JSON)
        fine = isinstance(body, dict) and path == "/api/decide" and answer.status_code == 200
        assert 400 <= answer.status_code < 500 or fine, (body, answer.status_code)
        if fine:  # what may be left out
            assert body["label"] in ("x", *WRONG) and (body["fragments"] in ([], None)), body
            undo = {"decision": answer.json()["decision"]}
            assert client.post("/api/undo", json=undo, headers=JSON).status_code == 200
            right["version"] = -5
    flags = client.post("/api/decide", json={**_wish(client), "row": True, "action": "flag"}, headers=JSON)
    assert flags.status_code == 422


@pytest.mark.parametrize("key", ["page", "low", "label", "id", "sort", "review", "stale", "field", "format", "text"])
@pytest.mark.parametrize("value", ["-1", "1e999", "nan", "\0", "%ff", "x" * 5000, "٣"])
def test_no_address_is_an_answer_of_500(key: str, value: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    client = _SHARED.setdefault("client", _client(tmp_path_factory.mktemp("site")))
    for path in ("/", "/rows", "/pair/0", "/api/pair/0", "/api/matrix/0", "/report", "/history", "/export"):
        assert client.get(path, params={key: value}).status_code < 500, path


_SHARED: dict[str, TestClient] = {}


@pytest.mark.parametrize("name", ["es/plots/b.svg", "es/train/x.arrow", "decisions.jsonl", "es-2"])
def test_a_link_out_of_the_run_is_not_followed(name: str, tmp_path: Path) -> None:
    _client(tmp_path)
    out = tmp_path / "run"
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(out / "es", elsewhere)
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).symlink_to(elsewhere if name == "es-2" else tmp_path / "secret.svg")
    with pytest.raises(InputError, match="a link that leads out of the run"):
        find_corpora(out)


def test_a_plot_linked_later_is_not_shown(tmp_path: Path) -> None:
    client = _client(tmp_path)
    (tmp_path / "run" / "es" / "plots" / "b.svg").symlink_to(tmp_path / "secret.svg")
    (tmp_path / "run" / "es" / "report.html").symlink_to(tmp_path / "secret.svg")
    assert client.get("/run-report/0").status_code == 404
    assert client.get("/plots/0/b.svg").status_code == 404 and client.get("/plots/0/a.svg").status_code == 200


def test_a_token_where_others_can_reach_the_server(tmp_path: Path) -> None:
    client = _client(tmp_path, token="t-1")
    assert client.get("/").status_code == 403
    assert client.get("/?token=wrong").status_code == 403
    let_in = client.get("/rows", params={"token": "t-1", "sort": "score"})
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/rows?sort=score")
    assert "HttpOnly" in let_in.headers["set-cookie"] and "SameSite=Strict" in let_in.headers["set-cookie"]


def test_after_the_token_a_cookie(tmp_path: Path) -> None:
    client = _client(tmp_path, token="abc", anywhere=True)
    client.get("/?token=abc")
    cookie = {"cookie": "spanferry-80=abc"}
    assert client.get("/rows", headers={"host": "session.example:80", **cookie}).status_code == 200
    assert client.get("/rows", headers={"host": "session.example:81", **cookie}).status_code == 403
    assert client.get("/rows").status_code == 200
    assert client.get(f"{HOME}//evil.example/?token=abc").headers["location"].startswith("/evil")


def test_pages_say_what_a_browser_may_do(tmp_path: Path) -> None:
    client = _client(tmp_path)
    for path in ("/", "/rows", "/pair/1", "/report", "/history", "/export", "/static/pair.js", "/nope"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script>window" not in answer.text and "<img src=x" not in answer.text
    (tmp_path / "run" / "es" / "report.html").write_text("<!doctype html><title>Report</title>")
    assert '<a href="/run-report/0">' in client.get("/report").text
    for path in ("/plots/0/a.svg", "/run-report/0"):
        alone = client.get(path).headers["content-security-policy"]
        assert "script-src" not in alone and "default-src 'none'" in alone and "sandbox" in alone


@pytest.mark.parametrize(
    "path",
    [
        "/plots/0/..%2f..%2f..%2fsecret.svg",
        "/plots/0/../../../secret.svg",
        "/plots/7/a.svg",
        "/plots/-1/a.svg",
        "/run-report/7",
        "/run-report/-1",
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


def test_history_shows_who_did_what(tmp_path: Path) -> None:
    client = _client(tmp_path)
    made = client.post("/api/decide", json=_wish(client), headers=JSON).json()["decision"]
    client.post("/api/undo", json={"decision": made}, headers=JSON)
    text = client.get("/history").text
    assert "tester" in text and "undone" in text and text.count("<tr") == 3
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
