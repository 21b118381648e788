"""Files of hosts, for models and for people. Pure functions."""

from intendant.files import FileList, FilePage, SavedFile
from intendant.views.json import format_time
from intendant.views.lines import Line, plural, sanitize_line
from intendant.views.results import FileEntryView, FileResult, FilesResult, SavedResult

_LETTERS = {"folder": "d", "link": "l", "file": "-", "fifo": "p", "socket": "s", "device": "b"}


def build_list(found: FileList, start: int) -> FilesResult:
    """The page of a folder that begins with entry ``start``, as the tool answers it."""
    end = start + len(found.entries)
    result = FilesResult(
        host=found.host,
        path=found.path,
        entries=[
            FileEntryView(
                **entry.model_dump(exclude={"modified", "target"} if not entry.target else {"modified"}),
                modified=format_time(entry.modified),
            )
            for entry in found.entries
        ],
        total=found.total,
        next_cursor=str(end) if end < found.total else "",
    )
    if found.cut:
        result.cut = True
    return result


def build_page(page: FilePage) -> FileResult:
    """The page as the tool answers it."""
    return FileResult(**page.model_dump(exclude={"modified"}), modified=format_time(page.modified))


def build_saved(saved: SavedFile) -> SavedResult:
    """Where a file is now, as the tool answers it."""
    return SavedResult(**saved.model_dump())


def list_lines(found: FileList) -> list[Line]:
    """For people, in the manner of ``ls -l``."""
    columns = zip(*map(_columns, found.entries), strict=True)
    widths = [max(len(text) for text in column) for column in columns]
    lines = []
    for entry in found.entries:
        owner, group, size = (text.ljust(width) for text, width in zip(_columns(entry), widths, strict=True))
        target = f" -> {entry.target}" if entry.target else ""
        lines.append(
            Line(
                f"{_LETTERS.get(entry.type, '?')} {entry.mode} {owner} {group} {size.strip().rjust(widths[2])} "
                f"{entry.modified:%Y-%m-%d %H:%M} {sanitize_line(entry.name + target)}",
                "heading" if entry.type == "folder" else "plain",
            )
        )
    return lines


def describe_rest(found: FileList, start: int) -> str:
    """What the page leaves out; empty when nothing."""
    end, more = start + len(found.entries), "more than " if found.cut else ""
    if end >= found.total and not found.cut:
        return ""
    return f"{start + 1} to {end} of {more}{plural(found.total, 'entry').replace('entrys', 'entries')}."


def _columns(entry: object) -> tuple[str, str, str]:
    return entry.owner, entry.group, str(entry.size)  # type: ignore[attr-defined]
