"""Which words of a caption or a prompt name content.

What is named is removed from the reference, so words of colour, medium and artist would remove the very style that is
wanted, and words of praise say nothing. In English, as CLIP's captions are. Rules of thumb: their result is a proposal,
which its reader can change.
"""

from __future__ import annotations

import itertools
import re

_MAX_WORDS = 12  # a removal vector of a whole prompt says nothing in particular


# Each list is one of the alternatives of a verbose pattern.
_COLOURS = r"""
    amber | beige | black | blue | brown | burgundy | color | colored | colorful | colors | colour |
    coloured | colourful | colours | crimson | cyan | gray | green | grey | indigo | ivory | magenta |
    maroon | mauve | monochrome | multicolored | multicoloured | navy | neon | ochre | pink | purple | red |
    scarlet | sepia | tan | teal | turquoise | vibrant | vivid | white | yellow
"""
_MEDIA = r"""
    acrylic | anime | art | artwork | cartoon | charcoal | closeup | collage | comic | digital | drawing |
    engraving | etching | fresco | gouache | illustration | linocut | lithograph | manga | mosaic | mural |
    painting | pastel | photo | photograph | photography | picture | poster | print | render | rendering |
    screenshot | sketch | wallpaper | watercolor | watercolour | woodblock | woodcut
"""
_MANNERS = r"""
    impressionist | photorealistic | pixelated | realistic | style | styled | stylised | stylized | surreal |
    ukiyo-e | vintage | 4k | 8k | absurdres | amazing | award-winning | beautiful | best | cinematic |
    detailed | hd | highly | highres | intricate | masterpiece | quality | score_7_up | score_8_up | score_9 |
    stunning | trending | uhd
"""
# Things too: words of style only where they say of what kind the next word is, as in "oil painting" and "light blue".
_OF_THE_NEXT = r"""
    3d | abstract | bright | bronze | chalk | close | concept | copper | cream | dark | film | fine | gold |
    golden | high | ink | lavender | light | line | oil | olive | orange | pale | pencil | pen | pixel |
    silver | soft | stock | up | vector | violet
"""
_STYLE = re.compile(f"{_COLOURS}|{_MEDIA}|{_MANNERS}", re.VERBOSE | re.IGNORECASE)
_KIND = re.compile(_OF_THE_NEXT, re.VERBOSE | re.IGNORECASE)
_ARTICLE = re.compile("a|an|the", re.IGNORECASE)
_JOINT = re.compile("and|as|at|by|for|from|in|of|on|or|to|with", re.IGNORECASE)

# "a black and white photo of": whatever stands before "of" is said of the picture.
_PICTURE_OF = re.compile(
    rf"^.*\b(?:{_MEDIA}|close[\s-]?up|view)s?\s+(?:of|showing|depicting)\s+", re.VERBOSE | re.IGNORECASE
)
# "in the style of …", "in anime style", "inspired by …" and "by Van Gogh", but not "by a window".
_ARTIST = re.compile(
    r"\b(?:in\s+(?:[\w-]+\s+){0,3}style\b|(?:inspired|painted|drawn|made|illustrated)\s+by\b"
    r"|by\s+(?!(?:an?|the|his|her|its|their)\b)).*$",
    re.IGNORECASE,
)
_STYLE_OF = re.compile(r"\b[\w-]+[\s-]styled?\b", re.IGNORECASE)  # "ghibli style"


def content_words(text: str) -> str:
    """Return the first phrase of ``text`` that names content, without its words of style; empty if none does."""
    plain = re.sub(r":\s*[\d.]+(?=\s*[)\]])|[()\[\]{}\\]", "", text)  # brackets and weights of emphasis
    phrases = re.split(r"[,;.\n]|\bBREAK\b|\bAND\b", plain)
    return next((words for phrase in phrases if (words := _content(phrase))), "")


def _content(phrase: str) -> str:
    for said_of_the_picture in (_ARTIST, _STYLE_OF, _PICTURE_OF):
        phrase = said_of_the_picture.sub("", phrase)
    words = phrase.split()
    pairs = [*itertools.zip_longest(words, words[1:], fillvalue="of")]
    joined = _joined([word for word, after in pairs if not _is_style(word, after)])
    for place, (article, word) in enumerate(itertools.pairwise(joined)):
        if article.lower() in ("a", "an") and (article, word) not in pairs:  # "an orange fox"
            joined[place] = "an" if word[0].lower() in "aeiou" else "a"
    return " ".join(joined)


def _is_style(word: str, after: str) -> bool:
    return bool(_STYLE.fullmatch(word) or (_KIND.fullmatch(word) and not _JOINT.fullmatch(after)))


def _joined(words: list[str]) -> list[str]:
    """Leave out the articles and joints that have lost their words, as in "a and cat" and "a cat in"."""
    joined: list[str] = []
    for word in words:
        if not (_JOINT.fullmatch(word) and _lacks_word(joined)):
            joined.append(word)
    del joined[_MAX_WORDS:]
    while joined and _lacks_word(joined):
        joined.pop()
    return joined


def _lacks_word(words: list[str]) -> bool:
    return not words or bool(_ARTICLE.fullmatch(words[-1]) or _JOINT.fullmatch(words[-1]))
