"""``report.html``: a Markdown report as one page that needs no network and no script.

The page shows the same sections as ``report.md``, with the plots inside and rows highlighted. Raw HTML in the Markdown
is text; links and pictures of other places are left out, since labels come from strangers.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from spanferry.corpora.report.page_style import STYLE
from spanferry.corpora.report.svg import without_style

ROWS = "rows"
"""Info string of a fence whose text is a key of ``rows``."""

# A corpus may have thousands of labels, and documents of any length: the page shows the first, report.json has all.
_TABLE_ROWS, _FENCE = 100, 20_000


def report_page(
    markdown: str, *, pictures: Mapping[str, str] | None = None, rows: Mapping[str, str] | None = None
) -> str:
    """The page; the same input gives the same bytes.

    Args:
        markdown: The report; its first heading is the page's title.
        pictures: Path as the Markdown has it to the text of the SVG.
        rows: Key to HTML, for a fence with the info string ``rows`` that holds the key.
    """
    # Text of strangers stays as it is: no emphasis, no references, no raw HTML.
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
    parser.disable(["emphasis", "reference", "lheading", "autolink", "html_block", "html_inline"])
    tokens = _shortened(parser.parse(markdown))
    title = next((t.content for i, t in enumerate(tokens) if i and tokens[i - 1].type == "heading_open"), "Report")
    body = parser.renderer.render(tokens, parser.options, {"pictures": pictures or {}, "rows": rows or {}})
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title, quote=False)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n"
        "</body>\n</html>\n"
    )


def _shortened(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without the rows of long tables; how many there are more is in ``meta`` of the table's end."""
    kept, rows = [], 0
    for token in tokens:
        if token.type == "table_open":
            rows = -1  # the head is a row too
        rows += token.type == "tr_open"
        if token.type == "table_close":
            token.meta["more"] = max(0, rows - _TABLE_ROWS)
        # Elements of a row are deeper than its table's body, which stays.
        if rows <= _TABLE_ROWS or token.type in ("tbody_close", "table_close"):
            kept.append(token)
        if token.type == "table_close":
            rows = 0
    return kept


class _Renderer(RendererHTML):
    """HTML with a caption for each table and the scope of its heads; pictures and rows put in."""

    def __init__(self, parser: Any = None) -> None:
        super().__init__(parser)
        self._heading = ""

    def heading_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        self._heading = tokens[at + 1].content
        return self.renderToken(tokens, at, options, env)

    def table_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        name = escape(self._heading)
        return f'<div class="scroll" role="region" tabindex="0" aria-label="{name}"><table><caption>{name}</caption>\n'

    def table_close(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        more = tokens[at].meta["more"]
        return "</table></div>\n" + (f"<p>{more:,} more stand in report.json.</p>\n" if more else "")

    def th_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        return f'<th scope="col"{_number(tokens[at])}>'

    def td_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        return f'<td dir="auto"{_number(tokens[at])}>'

    def image(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        picture = env["pictures"].get(str(tokens[at].attrs["src"]))
        if picture is None:
            return escape(tokens[at].content, quote=False)
        return f'<span class="plot">{without_style(picture)}</span>'

    def link_open(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        to = str(tokens[at].attrs["href"])
        if _beside(to):
            return f'<a href="{escape(to)}">'
        return ""

    def link_close(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        opened = next(t for t in reversed(tokens[:at]) if t.type == "link_open")
        return "</a>" if _beside(str(opened.attrs["href"])) else ""

    def fence(self, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        key = tokens[at].content.strip()
        if tokens[at].info == ROWS and key in env["rows"]:
            return str(env["rows"][key])
        name = escape(self._heading)
        text = tokens[at].content
        text = escape(text if len(text) <= _FENCE else text[: _FENCE - 1] + "…", quote=False)
        return f'<pre class="scroll" role="region" tabindex="0" aria-label="{name}" dir="auto">{text}</pre>\n'


def _number(token: Token) -> str:
    return ' class="number"' if "right" in str(token.attrs.get("style", "")) else ""


def _beside(link: str) -> bool:
    return link.startswith("plots/") and ".." not in link
