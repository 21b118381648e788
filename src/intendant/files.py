"""Files of hosts as they are shown: pages of text, entries of folders. Pure: no I/O, no clock."""

import base64
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from intendant.cleaning import clean_output, sanitize
from intendant.remote_files import Entry

Encoding = Literal["text", "base64", "withheld"]
#: bytes of one page.
PAGE_BYTES = 20_000
MOST_PAGE_BYTES = 100_000
#: what is read around a page, so that no secret is cut in two. Private keys are the longest, and few of them 16 KiB.
BEFORE_BYTES = 256 * 1024
AFTER_BYTES = 64 * 1024
_KINDS = {"f": "file", "d": "folder", "l": "link", "p": "fifo", "s": "socket", "b": "device", "c": "device"}
#: characters that a page may have for each of its bytes; one that is mostly control characters, spelled, has more.
_SPELLED = 2


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Frozen):
    """One entry of a folder; texts are masked and safe to print. ``target`` is where a link points to."""

    name: str
    type: str
    size: int
    mode: str
    owner: str
    group: str
    modified: datetime
    target: str = ""


class FileList(_Frozen):
    """One page of a folder, by name. ``total`` counts all that was read; ``cut``: the folder has more than that."""

    host: str
    path: str
    entries: tuple[FileEntry, ...]
    total: int
    cut: bool = False


class FilePage(_Frozen):
    """Bytes ``offset`` to ``next_offset`` (None: the end) of a file; ``content`` is masked and, if text, cleaned."""

    host: str
    path: str
    size: int
    mode: str
    owner: str
    group: str
    modified: datetime
    encoding: Encoding
    content: str
    offset: int
    next_offset: int | None


class SavedFile(_Frozen):
    """A file that was saved on this machine, at ``saved``."""

    host: str
    path: str
    saved: str
    size: int
    sha256: str


class Window(NamedTuple):
    """A page of a file with what was read around it."""

    before: bytes
    page: bytes
    after: bytes


def cut_window(data: bytes, start: int, length: int) -> Window:
    """The page of ``length`` bytes from ``start`` on; one of UTF-8 text begins and ends between two characters."""
    end = min(len(data), start + length)
    first, last = _char_start(data, start), _char_start(data, end)
    if last <= first < end:  # the page is smaller than its first character
        last = end
        while _continues(data, last) and last < first + 4:
            last += 1
    if read_text(data[first:last]) is None:
        first, last = start, end
    return Window(data[:first], data[first:last], data[last:])


def read_text(page: bytes) -> str | None:
    """The page as cleaned text; None where it is no UTF-8, or nothing to read."""
    if b"\0" in page:
        return None
    try:
        page.decode()
    except UnicodeDecodeError:
        return None
    text = clean_output(page)
    return text if len(text) <= _SPELLED * len(page) + 100 else None


def context_text(context: bytes) -> str:
    """What lies around a page of text, as far as it is text: nothing in it may hide where a secret begins."""
    return clean_output(context.decode(errors="ignore").replace("\0", "").encode())


def binary_views(window: Window) -> list[list[str]]:
    """Ways to read what is no text in which a secret would show: as it stands, and without what is not printable.

    The second finds UTF-16 and UTF-32, and what stray bytes interrupt. Compressed, encrypted or encoded secrets show in
    neither.
    """
    printable = bytes(byte for byte in range(256) if byte not in b"\t\n" and not 0x20 <= byte < 0x7F)
    return [
        [part.decode("latin-1") for part in window],
        [part.translate(None, printable).decode("ascii") for part in window],
    ]


def encode_page(page: bytes) -> str:
    """Bytes for the result."""
    return base64.b64encode(page).decode()


def clean_name(name: bytes) -> str:
    """A name on one line: what is no UTF-8 or steers a terminal is spelled."""
    return sanitize(name.decode("utf-8", "backslashreplace")).replace("\n", "\\n").replace("\t", "\\t")


def make_entry(entry: Entry, name: str, target: str) -> FileEntry:
    """The entry as it is shown, under texts that were masked."""
    return FileEntry(
        name=name,
        type=_KINDS.get(entry.kind, "other"),
        size=entry.size,
        mode=entry.mode,
        owner=clean_name(entry.owner.encode()),
        group=clean_name(entry.group.encode()),
        modified=make_time(entry.modified),
        target=target,
    )


def make_time(seconds: int) -> datetime:
    """A file's time; one that no calendar has is the nearest that has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC) if seconds > 0 else datetime.min.replace(tzinfo=UTC)


def _continues(data: bytes, at: int) -> bool:
    return at < len(data) and data[at] & 0xC0 == 0x80


def _char_start(data: bytes, at: int) -> int:
    """``at``, or up to three bytes before it where a character would be cut."""
    back = at
    while back > 0 and at - back < 4 and _continues(data, back):
        back -= 1
    return at if at - back > 3 else back
