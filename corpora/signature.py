"""The identity of an output: every choice that changes it, and none that does not, as one ordered value.

After sacrebleu's signatures. Each component states its own entries, what is built around it adds to them, and a flow
puts them in a row: ``src:jsonl.en@ab12|seg:sentence|mt:en-es@5f1|ct2:int8|beam:4|proj:…|version:0.1.0``. The same value
stands in every row, report and card, names the folders of stage files by its digest and is the key of what is kept
between runs.

A component names the options that change no byte of its output in ``neutral_options``; all others are in its
signature. ``tests/test_signatures.py`` goes over every option of every component and flow.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

_OPENING, _CLOSING = "([{", ")]}"
# What sets the parts of a signature apart; inside of a value that a user chose it is written as in an address.
_RESERVED = frozenset("%|,+=()[]{}\n")
_EMPTY = "%"  # an empty item, so that a list of one is not taken for an empty list


class Signature(str):
    """An ordered row of entries ``key:value``.

    It is its own text, so that it can stand in a column, a message or a file and be read back with its entries. Two
    signatures are equal where all their entries are, in the same order.

    >>> made = Signature.of("mt:en-es@5f1|ct2:int8", ("beam", 4))
    >>> made
    'mt:en-es@5f1|ct2:int8|beam:4'
    >>> made.entries
    (('mt', 'en-es@5f1'), ('ct2', 'int8'), ('beam', '4'))
    >>> made.value("beam"), made.digest(8)
    ('4', '58bc9e0f')
    """

    __slots__ = ()

    @classmethod
    def of(cls, *parts: "str | tuple[str, object]") -> "Signature":
        """The entries of all parts, in order.

        Args:
            *parts: Signatures, or single entries as (key, value). What is empty adds nothing.
        """
        texts = (part if isinstance(part, str) else f"{part[0]}{':' * bool(part[0])}{part[1]}" for part in parts)
        return cls("|".join(text for text in texts if text))

    @property
    def entries(self) -> tuple[tuple[str, str], ...]:
        """(key, value) in order; the key is empty where an entry has none. Entries in brackets belong to a value."""
        return tuple((key, value) if colon else ("", key) for key, colon, value in map(_parted, _split(self)))

    def value(self, key: str) -> str | None:
        """The value of the first entry with this key; None where there is none."""
        return next((value for name, value in self.entries if name == key), None)

    def digest(self, length: int = 12) -> str:
        """The first ``length`` hex digits of the BLAKE2b of its text."""
        return blake2b(self.encode()).hexdigest()[:length]


NOTHING = Signature()
"""Of what is made of nothing that could be chosen."""


def neutral_options(component: Any) -> frozenset[str]:
    """The options of a component that change no byte of its output, as it declares them; by default none.

    Args:
        component: The component, or its class where they do not depend on the component's other options.
    """
    return frozenset(getattr(component, "neutral_options", ()))


def settings(options: Mapping[str, Any], left_out: Iterable[str] = ()) -> str:
    """Options as one value: ``[a=1,b=x]`` in the order given, or "".

    >>> settings({"tags": ("B", "I"), "repair": True, "label": "a,b"})
    '[tags=B+I,repair=true,label=a%2Cb]'

    Args:
        options: Name to value.
        left_out: Names that do not belong to the identity.
    """
    without = frozenset(left_out)
    chosen = [f"{name}={value_text(value)}" for name, value in options.items() if name not in without]
    return f"[{','.join(chosen)}]" if chosen else ""


def value_text(value: Any) -> str:
    """A value as a signature has it: different values have different texts, whatever they hold."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{value_text(key)}={value_text(of)}" for key, of in sorted(value.items())) + "}"
    if isinstance(value, list | tuple):
        return "+".join(
            f"({value_text(of)})" if isinstance(of, list | tuple) else value_text(of) or _EMPTY for of in value
        )
    return "".join(f"%{ord(c):02X}" if c in _RESERVED else c for c in str(value))


def number_text(value: float) -> str:
    """A number in six digits where these are all of it, else in as many as it takes to differ from any other."""
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def _split(text: str) -> Iterator[str]:
    """The entries of a text: what stands between bars that are in no brackets."""
    start = depth = 0
    for place, character in enumerate(text):
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth = max(0, depth - 1)
        elif character == "|" and not depth:
            yield text[start:place]
            start = place + 1
    if text:
        yield text[start:]


def _parted(entry: str) -> tuple[str, str, str]:
    """Key, colon and value; a colon behind a bracket belongs to the value."""
    key, colon, value = entry.partition(":")
    return (key, colon, value) if colon and not set(key) & set(_OPENING) else (entry, "", "")
