"""Text from hosts made safe to show: nothing in it steers a terminal, hides, or is of any length. Pure."""

import re
import unicodedata

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Sequences of ECMA-48: colours and cursor movements; strings such as window titles; everything else of two characters.
_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]"
)
#: what manual pages do for bold and underlined text.
_OVERSTRIKES = re.compile(r"[^\n]\x08")
#: everything that has to be looked at.
_UNSURE = re.compile(r"[^\n\t\x20-\x7e]")
_WIDE = re.compile(r"[^\x00-\xff]")
_LINE_ENDS = re.compile(r"\r+\n?")


def sanitize(text: str) -> str:
    """Text from elsewhere, with newlines and tabs kept and everything that steers a terminal or hides made visible.

    Control characters (so every escape sequence), bidi and other invisible format characters and lone surrogates become
    ``\\x1b`` or ``\\u202e``: seen, not obeyed, because somebody decides by what is shown.
    """
    text = text.translate(_CONTROLS)
    return _WIDE.sub(lambda found: _spell(found[0]) if _is_hidden(found[0]) else found[0], text)


def split_hidden(text: str) -> list[tuple[str, bool]]:
    """As ``sanitize``, in pieces: True marks a spelled character, which should not look like the same letters."""
    found: list[tuple[str, bool]] = []
    end = 0
    for mark in _UNSURE.finditer(text):
        if _is_hidden(mark[0]):
            found += [(text[end : mark.start()], False)] if mark.start() > end else []
            found.append((_spell(mark[0]), True))
            end = mark.end()
    return [*found, (text[end:], False)] if end < len(text) else found


def clean_output(output: bytes) -> str:
    """A program's output as text without colours and cursor movements; bytes that are no UTF-8 become ``\\xff``."""
    text = output.decode("utf-8", "backslashreplace")
    if not _UNSURE.search(text):
        return text
    text = _OVERSTRIKES.sub("", _SEQUENCES.sub("", text))
    return sanitize(_LINE_ENDS.sub("\n", text))


def cut_middle(text: str, limit: int, note: str = "") -> tuple[str, int]:
    """At most about ``limit`` bytes (UTF-8) of a text, from its beginning and its end, and how many are left out.

    A line in between says so; ``note`` follows there.
    """
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= limit:
        return text, 0
    head, tail = data[: limit * 3 // 5], data[len(data) - limit * 2 // 5 :]
    # Whole lines where they are not too long.
    head = head[: head.rfind(b"\n", len(head) // 2) + 1] or head
    start = tail.find(b"\n", 0, len(tail) // 2)
    tail = tail[start + 1 :]
    shown = [part.decode("utf-8", "ignore") for part in (head, tail)]
    missing = len(data) - len(head) - len(tail)
    return f"{shown[0]}{describe_gap(missing, note)}{shown[1]}", missing


def cut_start(text: str, limit: int) -> tuple[str, int]:
    """The end of a text that has at most ``limit`` bytes (UTF-8), in whole lines where they are not too long.

    Returns it with the number of bytes that are left out before it.
    """
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= limit:
        return text, 0
    tail = data[len(data) - limit :]
    tail = tail[tail.find(b"\n", 0, len(tail) // 2) + 1 :]
    return tail.decode("utf-8", "ignore"), len(data) - len(tail)


def describe_gap(missing: int, note: str = "") -> str:
    """The line that stands in for bytes that are left out."""
    return f"\n[… {missing} bytes left out{f': {note}' if note else ''} …]\n"


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN_CATEGORIES


def _spell(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


#: what hides among the first 256 characters, spelled.
_CONTROLS = {code: _spell(chr(code)) for code in range(0x100) if _is_hidden(chr(code)) and chr(code) not in "\n\t"}
