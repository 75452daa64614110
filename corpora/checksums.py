"""Checksums of the files of an output, in the form that ``sha256sum -c SHA256SUMS`` takes."""

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from spanferry.corpora.errors import InputError

SUMS = "SHA256SUMS"

# Digests of files as they were last seen, so that a dataset that is opened again is not read again.
_seen: dict[Path, tuple[tuple[int, int, int], str]] = {}


def write_sums(folder: Path) -> None:
    """Writes ``SHA256SUMS`` for every file in ``folder``, by path."""
    paths = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != SUMS)
    lines = [f"{_digest(folder / path)}  {path}\n" for path in paths]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def completed_sums(folder: Path, leave_out: Collection[str]) -> str:
    """What ``SHA256SUMS`` holds with a line for the files that have been added since, such as reports.

    Args:
        folder: The output.
        leave_out: Names of files that get none.

    Raises:
        InputError: The list of checksums is broken.
    """
    sums = read_sums(folder)
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if name not in sums and path.is_file() and path.name not in {SUMS, *leave_out} and path.suffix != ".tmp":
            sums[name] = _digest(path)
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))


def read_sums(folder: Path) -> dict[str, str]:
    """Digest by path within ``folder``; empty where there are no checksums.

    Raises:
        InputError: The file is not a list of checksums.
    """
    path = folder / SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _not_sums(path) from error
    found = {}
    for line in lines:
        digest, blanks, name = line.partition("  ")
        is_inside = not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
        if not blanks or not name or not is_inside or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise _not_sums(path)
        found[name] = digest
    return found


def changed_files(folder: Path, suffixes: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The files of an output that are not as they were written: path within ``folder``, and ``missing`` or ``changed``.

    Args:
        folder: The output.
        suffixes: Looks only at files with one of these; empty: at all.

    Raises:
        InputError: The list of checksums is broken.
    """
    for name, digest in read_sums(folder).items():
        if suffixes and not name.endswith(suffixes):
            continue
        try:
            if _cached_digest(folder / name) != digest:
                yield name, "changed"
        except OSError:
            yield name, "missing"


def check_data(folder: Path) -> None:
    """Checks the data of an output that is about to be read; one without checksums is taken as it is.

    Raises:
        InputError: A file is missing or not as it was written.
    """
    for name, problem in changed_files(folder, (".arrow", ".parquet", ".json")):
        raise InputError(
            "the file is missing" if problem == "missing" else "the file is not as it was written",
            where=str(folder / name),
            hint=f"run the flow again, or remove {folder / SUMS} if the change was meant",
        )


def _not_sums(path: Path) -> InputError:
    return InputError(
        "not a list of checksums",
        where=str(path),
        valid="lines of 64 hex digits, two blanks and a path",
        hint="run the flow again",
    )


def _cached_digest(path: Path) -> str:
    stat = path.stat()
    state = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    known = _seen.get(path)
    if known is None or known[0] != state:
        known = _seen[path] = (state, _digest(path))
    return known[1]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
