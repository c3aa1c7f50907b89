"""The text of one member of a body, as it was sent: numbers keep all their digits."""

import json

SPACE = " \t\n\r"
_decode = json.JSONDecoder().raw_decode


def member(body: bytes, name: str) -> bytes:
    """The value of a top-level member of an object, as UTF-8. The body was read as JSON before, and has
    the member."""
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    at = skip(text, skip(text, text.startswith("\ufeff")) + 1)
    found = ""
    while text[at] == '"':
        key, at = _decode(text, at)
        begin = skip(text, skip(text, at) + 1)  # behind the colon
        _, at = _decode(text, begin)
        if key == name:
            found = text[begin:at]  # of several the last one, as json.loads has it
        at = skip(text, at)
        if text[at] == ",":
            at = skip(text, at + 1)
    return found.encode("utf-8", "surrogatepass")


def skip(text: str, at: int) -> int:
    """Where something stands behind white space."""
    while text[at] in SPACE:
        at += 1
    return at
