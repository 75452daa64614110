"""Makes Prefect's client give up at once when its server is gone.

By itself the client tries each request again for a minute and each event for seven seconds, one after the other, while
the run's own work is long done. A server that is there but busy is asked again as ever.
"""

from collections.abc import Callable
from typing import Any

from prefect.client import base
from prefect.events.clients import PrefectEventsClient
from prefect.events.worker import EventsWorker, emit_events_to_cloud

# Two tries more follow without a pause; only then would Prefect wait between them.
_RECONNECTIONS = 2
_lost: list[Callable[[], bool]] = []


class ServerGoneError(Exception):
    """The server does not run any more; none of the errors that Prefect tries again."""


def give_up_when(lost: Callable[[], bool]) -> None:
    """Has requests and events of this process fail at once where ``lost`` says that the server is gone."""
    if not _lost:
        sync, other = base.PrefectHttpxSyncClient, base.PrefectHttpxAsyncClient
        sync._send_with_retry = _giving_up(sync._send_with_retry)  # type: ignore[method-assign]
        other._send_with_retry = _giving_up_async(other._send_with_retry)  # type: ignore[method-assign]
    _lost[:] = [lost]
    if not emit_events_to_cloud():
        EventsWorker.set_client_override(_Events, reconnection_attempts=_RECONNECTIONS)


def _gone() -> bool:
    return _lost[0]()


def _giving_up(original: Callable[..., Any]) -> Callable[..., Any]:
    def send_with_retry(self: Any, request: Any, send: Callable[..., Any], *others: Any, **named: Any) -> Any:
        def once(*arguments: Any, **options: Any) -> Any:
            try:
                return send(*arguments, **options)
            except Exception as error:
                if _gone():
                    raise ServerGoneError from error
                raise

        return original(self, request, once, *others, **named)

    return send_with_retry


def _giving_up_async(original: Callable[..., Any]) -> Callable[..., Any]:
    async def send_with_retry(self: Any, request: Any, send: Callable[..., Any], *others: Any, **named: Any) -> Any:
        async def once(*arguments: Any, **options: Any) -> Any:
            try:
                return await send(*arguments, **options)
            except Exception as error:
                if _gone():
                    raise ServerGoneError from error
                raise

        return await original(self, request, once, *others, **named)

    return send_with_retry


class _Events(PrefectEventsClient):
    """Drops events when the server is gone."""

    async def emit(self, event: Any) -> None:
        try:
            await super().emit(event)
        except Exception:
            if not _gone():
                raise
