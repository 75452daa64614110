"""``spanferry inspect OUT``: the web page on which people review projected labels."""

import getpass
import secrets
import socket
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.schema import Pair

LOCAL = ("127.0.0.1", "localhost", "::1")


def inspect(
    out: Annotated[Path, typer.Argument(help="A run's folder, or a folder of runs.")],
    port: Annotated[int, typer.Option(help="0 chooses a free one.", min=0, max=65535)] = 8765,
    host: Annotated[str, typer.Option(help="Another address than this machine's own asks for a token.")] = LOCAL[0],
    who: Annotated[str | None, typer.Option(help="Stands in every decision.", show_default="you")] = None,
) -> None:
    """Look at projected labels and correct them in a browser."""
    import uvicorn

    from spanferry.flows.inspector.app import build_app
    from spanferry.flows.inspector.runs import find_corpora
    from spanferry.flows.inspector.session import ReviewSession

    corpora = find_corpora(out)
    session = ReviewSession(corpora, who or _user())
    token = None if host in LOCAL else secrets.token_urlsafe(24)
    folders = {c.name: c.folder for c in corpora}

    def matrix(corpus: str, pair: Pair, field: str) -> Any:
        from spanferry.flows.evaluate.alignments import matrix_of

        return matrix_of(folders[corpus], pair, field)

    app = build_app(session, title=out.resolve().name, token=token, matrix=matrix)
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}/" + (f"?token={token}" if token else "")
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"inspector  [bold]{address}[/]", markup=True)
    console.print("           keys: ?    end: Ctrl-C    the decisions:", ", ".join(str(p) for p in session.logs))
    settings = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    uvicorn.Server(settings).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise ConfigError(
            f"can't listen there: {error.strerror}", where=f"{host}:{port}", hint="--port 0 takes a free port"
        ) from error
    listener.listen(128)
    return listener


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
