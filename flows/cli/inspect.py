"""``spanferry inspect OUT``: the web page on which people review projected labels."""

import getpass
import os
import secrets
import socket
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Pair

LOCAL = ("127.0.0.1", "localhost", "::1")
_TOKEN = 32  # characters of 24 random bytes in base 64


def inspect(
    out: Annotated[Path, typer.Argument(help="A run's folder, or a folder of runs.")],
    port: Annotated[int, typer.Option(help="Port; 0 chooses a free one.", min=0, max=65535)] = 8765,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any other than this machine's own requires a token.")
    ] = LOCAL[0],
    who: Annotated[str | None, typer.Option(help="Name recorded with every decision.", show_default="you")] = None,
) -> None:
    """Look at projected labels and correct them in a browser."""
    from spanferry.flows.inspector.app import build_app
    from spanferry.flows.inspector.runs import find_corpora
    from spanferry.flows.inspector.serving import serve
    from spanferry.flows.inspector.session import ReviewSession

    corpora = find_corpora(out)
    session = ReviewSession(corpora, who or _user())
    local = host in LOCAL
    # A page that is open on this machine goes on working when the server is started again.
    token = _own_token() if local else secrets.token_urlsafe(24)
    folders = {c.name: c.folder for c in corpora}

    def matrix(corpus: str, pair: Pair, field: str) -> Any:
        from spanferry.flows.evaluate.alignments import matrix_of

        return matrix_of(folders[corpus], pair, field)

    app = build_app(session, title=out.resolve().name, token=token, anywhere=not local, matrix=matrix)
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/?token={token}"
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"inspector  [bold]{address}[/]", markup=True)
    console.print("           keys: ?    end: Ctrl-C    the decisions:", ", ".join(str(p) for p in session.logs))
    serve(app, listener)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise ConfigError(
            f"can't listen at this address: {error.strerror}",
            where=f"{host}:{port}",
            hint="--port 0 chooses a free port",
        ) from error
    listener.listen(128)
    return listener


def _own_token() -> str:
    """The token of this user on this machine, made once; a new one where it can't be kept."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    path = Path(state) / "spanferry" / "inspector-token"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(24))
        kept = path.read_text(encoding="ascii")
        # Only what nobody else can have read counts.
        if len(kept) == _TOKEN and path.stat().st_mode & 0o077 == 0 and path.stat().st_uid == os.getuid():
            return kept
    except (OSError, RuntimeError, ValueError):
        pass
    return secrets.token_urlsafe(24)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
