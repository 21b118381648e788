"""An exported playbook, whole or in pages. Pure."""

import hashlib

from intendant.errors import InputError
from intendant.exporting import Export
from intendant.views.json import cut_text
from intendant.views.results import ExportResult

_PAGE_BYTES = 16_000
_MOST_REASONS = 20
_REASON_CHARS = 300


def view_export(export: Export) -> ExportResult:
    """All of it."""
    return ExportResult(
        playbook=export.text, left_out=list(export.left_out), secrets=list(export.secrets), next_cursor=""
    )


def page_export(export: Export, cursor: str) -> ExportResult:
    """A page of whole lines, where they are not too long; what was left out comes with the first.

    Raises:
        InputError: the cursor is none of ours, or the history has gone on since the page before.
    """
    data = export.text.encode()
    mark = hashlib.sha256(data).hexdigest()[:8]
    offset, _, known = cursor.partition(".")
    start = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 10 else 0
    if cursor and (known != mark or not 0 < start < len(data)):
        raise InputError("cursor: is no next_cursor of this playbook as it is now. Ask for the first page without one.")
    part = data[start : start + _PAGE_BYTES]
    end = start + len(part)
    if end < len(data):
        end = start + (part.rfind(b"\n", len(part) // 2) + 1 or len(part.decode(errors="ignore").encode()))
    result = ExportResult(
        playbook=data[start:end].decode(),
        left_out=[],
        secrets=list(export.secrets),
        next_cursor=f"{end}.{mark}" if end < len(data) else "",
    )
    if not start:
        result.left_out = [cut_text(reason, _REASON_CHARS) for reason in export.left_out[:_MOST_REASONS]]
        if more := len(export.left_out) - _MOST_REASONS:
            result.left_out += [f"{more} more; the comment at the top names all"] if more > 0 else []
    return result
