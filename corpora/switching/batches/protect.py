"""What must never be switched: addresses, placeholders, code, markup and numbers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import regex

from spanferry.corpora.switching.batches.arrays import Ints

# A text without any of these is not looked at further.
_MARKS = r"[`<{%@\\$_#&]|://|www\.|\[\["
_PROTECTED = regex.compile(
    r"(?:(?:https?|ftp)://|www\.)[^\s<>\"'”»]+"
    r"|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
    r"|(?P<ticks>`{1,3})[^`]+(?P=ticks)"
    r"|</?[A-Za-z][^<>]*>"
    r"|&(?:[A-Za-z]+|\#\d+);"
    r"|\$?\{\{?[^{}\s]*(?:\s[\w.$-]+\s)?\}\}?|\[\[[^\[\]]*\]\]"
    r"|%\(\w+\)[-+0\#]*\d*(?:\.\d+)?[a-zA-Z]"
    r"|(?<![\d%])%(?:\d+\$)?[-+0\#]*\d*(?:\.\d+)?(?:l{0,2}[diuxX]|[sfgeEcr@])(?![A-Za-z])"
    r"|\$\w+|\\[A-Za-z]+|[@\#]\w+|\w+_\w[\w_]*"
)


def protected_ranges(texts: pa.Array, starts: Ints) -> tuple[Ints, Ints]:
    """Ranges that hold what must be copied (numbers are found by their digits, elsewhere).

    Args:
        texts: The texts, (n,).
        starts: Where each begins in the pool, (n,).

    Returns:
        Starts and ends in the pool, ascending, disjoint.
    """
    marked = np.flatnonzero(pc.match_substring_regex(texts, _MARKS).fill_null(False).to_numpy(zero_copy_only=False))
    found = [
        (match.start() + int(starts[i]), match.end() + int(starts[i]))
        for i, text in zip(marked, texts.take(pa.array(marked)).to_pylist(), strict=True)
        for match in _PROTECTED.finditer(text)
    ]
    both = np.array(found, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
