"""Writes the reference tables of the pages anew: ``python tests/write_reference.py`` (``make docs``)."""

from pathlib import Path

from spanferry.flows.reference import with_tables

ROOT = Path(__file__).resolve().parent.parent


def pages() -> list[Path]:
    """The pages of the repository, those of tools left out."""
    folders = [ROOT / name for name in ("corpora", "translators", "projectors", "flows", "tests")]
    return sorted([*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))])


def main() -> None:
    """Rewrites the pages whose tables differ from what the components declare."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (wanted := with_tables(text)) != text:
            page.write_text(wanted, encoding="utf-8")
            print(f"wrote {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
