"""The models of a run: loaded once per process, few at a time."""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from spanferry.corpora.errors import ConfigError
from spanferry.corpora.files import content_hash, contents
from spanferry.flows.config import ProjectorConfig, TranslatorConfig
from spanferry.projectors.base import FittableProjector, Projector
from spanferry.projectors.methods.build import build_projector
from spanferry.translators import TRANSLATORS
from spanferry.translators.loading.load import load_translator
from spanferry.translators.wrappers.wrap import wrap

_KEPT = 2  # the language that is worked on and the next one
Loaded = TypeVar("Loaded")


class Recent:
    """The values that were asked for last; each is made once, whatever threads ask for it."""

    def __init__(self, size: int) -> None:
        self._size, self._lock = size, threading.RLock()
        self._values: OrderedDict[tuple[str, ...], Any] = OrderedDict()

    def get(self, key: tuple[str, ...], make: Callable[[], Loaded]) -> Loaded:
        with self._lock:
            if key not in self._values:
                self.make_room()  # before the next is loaded: both need not fit
                self._values[key] = make()
            self._values.move_to_end(key)
            found: Loaded = self._values[key]
            return found

    def make_room(self) -> None:
        """Forgets those that were not asked for lately, so that one more can be loaded."""
        with self._lock:
            while len(self._values) >= self._size:
                self._values.popitem(last=False)


_translators, _projectors = Recent(_KEPT), Recent(_KEPT)


def translator(
    section: TranslatorConfig, source: str, target: str, *, model: str | None = None, optional: bool = False
) -> Any:
    """The model for ``source -> target`` with what stands around it, one per process.

    Args:
        section: The configuration.
        source: BCP-47.
        target: BCP-47.
        model: Instead of the section's.
        optional: Return None where no bundled model knows the languages.

    Raises:
        SpanferryError: There is no such model, or it does not take an option.
    """
    spec = model or section.model
    key = (section.model_dump_json(), spec, source, target, str(optional), *_contents(section, spec))
    return _translators.get(key, lambda: _load(section, spec, source, target, optional))


def _contents(section: TranslatorConfig, spec: str) -> list[str]:
    """What says that a file with the same name is another one now."""
    path = Path(section.glossary)
    found = [content_hash([path])] if section.glossary and path.is_file() else []
    found.append(contents(section.options))
    for weights in (Path(spec) / "model.bin", Path(spec) / "config.json"):
        if weights.is_file():
            about = weights.stat()
            found.append(f"{about.st_mtime_ns}.{about.st_size}.{about.st_ino}")
    return found


def _load(section: TranslatorConfig, spec: str, source: str, target: str, optional: bool) -> Any:
    _refuse_unused(section, spec)
    _projectors.make_room()  # a projector holds its translator
    found = load_translator(
        spec,
        source=source,
        target=target,
        device=section.device,
        compute_type=section.compute_type,
        beam=section.beam,
        optional=optional,
        **section.options,
    )
    if found is None:
        refuse_set(section, f"no bundled model translates {source} to {target}", except_for=("model", "memory_mb"))
    return wrap(found, protect=section.protect, glossary=section.glossary, memory_mb=section.memory_mb)


def _refuse_unused(section: TranslatorConfig, spec: str) -> None:
    """Options of the model's engine, where the translator has none of ours.

    Raises:
        ConfigError: One is set.
    """
    if spec in TRANSLATORS or (":" in spec and not Path(spec).exists()):
        others = ("model", "memory_mb", "protect", "glossary", "options")
        refuse_set(section, f"the translator {spec!r} has no such option", except_for=others)


def refuse_set(section: Any, why: str, *, name: str = "translator", except_for: tuple[str, ...] = ()) -> None:
    """Raises where an option of a section that is not used is set.

    Args:
        section: The section of the configuration.
        why: Why it is not used.
        name: The section's name, for the message.
        except_for: Options that do no harm.

    Raises:
        ConfigError: One has another value than its default.
    """
    for key, field in type(section).model_fields.items():
        default = field.get_default(call_default_factory=True)
        if key not in except_for and getattr(section, key) != default:
            raise ConfigError(
                f"{name}.{key}={getattr(section, key)!r} is not used: {why}", hint=f"leave {name}.{key} out"
            )


def unfitted(section: ProjectorConfig, model: Any, source: str, target: str) -> Projector:
    """The projector as configured, before it has seen the corpus.

    Raises:
        SpanferryError: There is no such projector, or it does not take an option, or it needs another model.
    """
    return build_projector(section.kind, section.options, model, source, target)


def projector(section: ProjectorConfig, model: Any, source: str, target: str, state: Path | None) -> Projector:
    """The projector with what it has learned, one per process.

    Args:
        section: The configuration.
        model: The translator, or None.
        source: BCP-47.
        target: BCP-47.
        state: The file of what it has learned; its name carries every choice. None: it does not learn.

    Raises:
        SpanferryError: As for ``unfitted``; or the file is not of this projector.
    """

    def make() -> Projector:
        found = unfitted(section, model, source, target)
        if state is not None and isinstance(found, FittableProjector):
            return found.with_state(state.read_bytes())
        return found

    about = state.stat() if state is not None else None
    stamp = f"{about.st_mtime_ns}.{about.st_size}" if about else ""
    key = (
        json.dumps(section.model_dump(), sort_keys=True),
        str(getattr(model, "signature", "none")),
        source,
        target,
        str(state),
        stamp,
        contents(section.options),
    )
    return _projectors.get(key, make)
