"""What is the same in every language: emoji, mentions, tags, domains, HTML entities. For checks and protection."""

from spanferry.corpora.text.scripts import UNSPACED
from spanferry.corpora.text.words import EMOJI as _ONE_EMOJI

# Signs of these blocks that texts use as letters or punctuation: ©, ®, ™, ‼, ⁉, arrows, 〰, 〽, ㊗, ㊙.
_NO_EMOJI = r"[\u00a9\u00ae\u2122\u2139\u203c\u2049\u2190-\u21ff\u3030\u303d\u3297\u3299]"
# Two-letter domains that are words of a language are left out: "see it.in" lacks a space.
_TOP_LEVEL = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|app|dev|blog|shop|online|site|xyz|tech|store|cloud|wiki|museum|news"
    "|ai|ar|au|bg|bo|br|ca|ch|cl|cn|co|cr|cz|de|dk|ec|ee|eu|fi|fr|gr|gt|hk|hr|hu|ie|il|io|ir|jp|ke|kr|kz|lk|lt|lu|lv|ly|md"
    "|mx|ng|nl|nz|pe|ph|pk|pl|pt|py|qa|ro|rs|ru|sa|se|sg|sk|sv|tn|tr|tv|tw|ua|uk|uy|uz|ve|vn|za"
)

# Miscellaneous Symbols and Dingbats, without quotation marks and circled digits: ★, ✓, ♥.
_PICTURES = r"[\u2600-\u275a\u2761-\u2767\u2794-\u27bf]\ufe0f?"

EMOJI = rf"(?:(?!{_NO_EMOJI}|\d)(?:{_ONE_EMOJI}|{_PICTURES}))"
"""One emoji or pictograph (★, ☎) with what is joined to it."""

MENTION = r"(?<![A-Za-z0-9_.%+@/`-])@[A-Za-z_][A-Za-z0-9_.-]*[A-Za-z0-9_]"
"""``@name``; an address of e-mail is not one."""

# A tag in ASCII ends where a script without spaces begins.
TAG = rf"(?<![A-Za-z0-9_&#/])#(?:[A-Za-z0-9_]*[A-Za-z_][A-Za-z0-9_]*(?![^\P{{L}}{UNSPACED}]|\p{{M}})|\w*[^\W\d]\w*)"
"""``#tag`` with a letter in it; ``#1`` is a number."""

DOMAIN = (
    rf"(?<![A-Za-z0-9_@./:%-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?\.)+(?:{_TOP_LEVEL})(?![A-Za-z0-9_@-]|\.[A-Za-z0-9])"
    r"(?:/[A-Za-z0-9._~:/?#@!$&()*+,;=%|-]*[A-Za-z0-9_~/#@$&*+=%|-])?"
)
"""``example.org`` or ``example.org/path`` without ``https://``."""

ENTITY = r"&(?:#\d+|#x[0-9A-Fa-f]+|[A-Za-z]\w*);"
"""``&amp;`` or ``&#38;``."""
