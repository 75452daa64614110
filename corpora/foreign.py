"""Arrow and Parquet files from elsewhere: checked before they are used, and their errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spanferry.corpora.errors import InputError, SpanferryError

# A column chunk of text packs to a fifth or so, one of repeated values to a thousandth.
_MOST_RATIO, _MOST_BYTES = 2000, 1 << 28
_MOST_VALUES = 1 << 31  # of a column chunk
# What pyarrow and datasets raise over damaged files; anything else is ours.
_ERRORS = (
    pa.ArrowException,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    NotImplementedError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)


@contextmanager
def foreign(path: Path, message: str, hint: str, valid: str | None = None) -> Iterator[None]:
    """Turns what the libraries raise over a damaged file into an InputError with the file.

    Raises:
        InputError: Something was raised within.
    """
    try:
        yield
    except SpanferryError:
        raise
    except _ERRORS as error:
        raise InputError(f"{message} ({first_line(error)})", where=str(path), valid=valid, hint=hint) from error


def check_stream(path: Path) -> None:
    """Makes sure that every batch of an Arrow stream, or file, is what it says.

    Raises:
        InputError: One is not.
    """
    with foreign(path, "not a whole Arrow file", "save the dataset again"), pa.memory_map(str(path)) as source:
        is_file = source.read(6) == b"ARROW1"
        source.seek(0)
        if is_file:
            reader = pa.ipc.open_file(source)
            for i in range(reader.num_record_batches):
                reader.get_batch(i).validate(full=True)
        else:
            for batch in pa.ipc.open_stream(source):
                batch.validate(full=True)


def check_sizes(metadata: pq.FileMetaData, path: Path) -> None:
    """Makes sure that no column of a Parquet file claims to unpack to far more than lies in the file.

    Raises:
        InputError: One does.
    """
    size = path.stat().st_size
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group)
        for at in range(rows.num_columns):
            column = rows.column(at)
            packed, unpacked = column.total_compressed_size, column.total_uncompressed_size
            too_much = unpacked > _MOST_BYTES and unpacked > _MOST_RATIO * max(packed, 1)
            if not 0 <= packed <= size or unpacked < 0 or too_much or not 0 <= column.num_values <= _MOST_VALUES:
                raise InputError(
                    f"column {column.path_in_schema!r} claims {unpacked} bytes and {column.num_values} values "
                    f"out of {packed} bytes",
                    where=str(path),
                    hint="write the file again",
                )


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its kind."""
    return (str(error) or type(error).__name__).splitlines()[0]
