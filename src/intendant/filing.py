"""Looking at files of one host, and saving them on this machine. Nothing here changes a host."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from intendant.config import Config
from intendant.connections import Connections
from intendant.downloads import check_name, saving
from intendant.errors import HostError, InputError
from intendant.file_access import FileAccess
from intendant.files import (
    AFTER_BYTES,
    BEFORE_BYTES,
    MOST_PAGE_BYTES,
    PAGE_BYTES,
    Encoding,
    FileList,
    FilePage,
    SavedFile,
    Window,
    binary_views,
    clean_name,
    context_text,
    cut_window,
    encode_page,
    make_entry,
    make_time,
    read_text,
)
from intendant.intents import COMMAND
from intendant.inventory import Inventory
from intendant.policy import check_request
from intendant.remote import Outcome
from intendant.remote_files import build_hash, build_list, build_read, check_path, read_entries
from intendant.runner.base import Progress

PAGE_ENTRIES = 100
_CHUNK_BYTES = 1 << 20
_CHUNK_SECONDS = 120
_HASH_SECONDS = 300
_MOST_OFFSET = 1 << 60
_MIB = 2**20


class Filer:
    """Files of one host at a time, over the warm connections of commands."""

    def __init__(self, config: Config, inventory: Inventory, connections: Connections) -> None:
        self._config = config
        self._inventory = inventory
        self._connections = connections

    def list_files(self, pattern: str, path: str, *, start: int = 0, sudo: bool = False) -> FileList:
        """One page of a folder's entries by name, hidden ones too; of a file its own entry.

        Args:
            start: how many entries come before the page.

        Raises:
            InputError: the pattern or the path is wrong, or the page is behind the end.
            PolicyError: the policy allows no commands on the host.
            HostError: the host cannot be reached, or does not show the folder.
            EngineError: Ansible could not be started, or the inventory not be read.
        """
        check_path(path)
        with self._open(pattern, sudo=sudo) as access:
            outcome = access.ask(build_list(path))
            entries, cut = read_entries(outcome.stdout)
            if outcome.stderr.data and not entries:
                raise _explain_list(access, path, outcome)
            if start and start >= len(entries):
                raise InputError(f"cursor: {start} is behind the end; there are {len(entries)} entries.")
            page = entries[start : start + PAGE_ENTRIES]
            texts = [[clean_name(text)] for entry in page for text in (entry.name, entry.target)]
            masked = [text for (text,) in access.mask(texts)]
        shown = [make_entry(*found) for found in zip(page, masked[::2], masked[1::2], strict=True)]
        return FileList(host=access.host, path=path, entries=tuple(shown), total=len(entries), cut=cut)

    def read_file(
        self, pattern: str, path: str, *, offset: int = 0, limit: int = PAGE_BYTES, sudo: bool = False
    ) -> FilePage:
        """``limit`` bytes of a regular file from byte ``offset`` on, without secrets.

        A page of UTF-8 begins and ends between two characters, so up to three bytes earlier than asked.

        Raises:
            InputError: an argument is wrong, or the offset behind the end.
            PolicyError, HostError, EngineError: see ``list_files``.
        """
        check_path(path)
        if not 0 <= offset <= _MOST_OFFSET:
            raise InputError(f"offset: is {offset}; a count of bytes from the beginning of the file is meant.")
        if not 1 <= limit <= MOST_PAGE_BYTES:
            raise InputError(f"limit: is {limit}; 1 to {MOST_PAGE_BYTES} bytes are allowed. download_file saves all.")
        start = max(0, offset - BEFORE_BYTES)
        command = build_read(path, start, offset - start + limit + AFTER_BYTES)
        with self._open(pattern, sudo=sudo) as access:
            status, data = access.read(path, command)
            if offset > start + len(data):
                raise InputError(f"offset: {offset} is behind the end; {path} has {status.size} bytes.")
            window = cut_window(data, offset - start, limit)
            encoding, content = _show(access, window)
        first = start + len(window.before)
        last = first + len(window.page)
        return FilePage(
            host=access.host,
            path=path,
            size=status.size,
            mode=status.mode,
            owner=clean_name(status.owner.encode()),
            group=clean_name(status.group.encode()),
            modified=make_time(status.modified),
            encoding=encoding,
            content=content,
            offset=first,
            next_offset=last if window.page and last < status.size else None,
        )

    def download_file(
        self,
        pattern: str,
        path: str,
        name: str = "",
        *,
        overwrite: bool = False,
        sudo: bool = False,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> SavedFile:
        """Save a regular file below the project's download folder, byte for byte and as one version of it.

        Args:
            name: for the saved file, may begin with sub-folders; empty: the one that it has.

        Raises:
            InputError: an argument is wrong, the file is too large, or the name is taken.
            PolicyError, HostError, EngineError: see ``list_files``; HostError too for a file that changes meanwhile.
        """
        check_path(path)
        folder, parts = self._config.downloads, check_name(name or path.rstrip("/").rpartition("/")[2])
        with self._open(pattern, sudo=sudo) as access, saving(folder, parts, overwrite=overwrite) as file:
            size, digest = self._copy(access, path, file, on_progress)
        saved = folder.joinpath(*parts)
        inside = saved.is_relative_to(self._config.project_dir)
        shown = saved.relative_to(self._config.project_dir) if inside else saved
        return SavedFile(host=access.host, path=path, saved=str(shown), size=size, sha256=digest)

    def _copy(
        self, access: FileAccess, path: str, file: BinaryIO, on_progress: Callable[[Progress], None]
    ) -> tuple[int, str]:
        """Write the host's file by chunks. Returns its size and SHA-256, which the host has found, too."""
        digest, done, first, most = hashlib.sha256(), 0, None, self._config.max_file_bytes
        while first is None or done < first.size:
            status, data = access.read(path, build_read(path, done, _CHUNK_BYTES), seconds=_CHUNK_SECONDS)
            first = first or status
            if first.size > most:
                raise InputError(
                    f"path: {path} has {first.size} bytes; {most} are allowed (max_file_bytes in intendant.toml)."
                )
            if status != first or len(data) != min(_CHUNK_BYTES, first.size - done):
                raise _changed(path)
            digest.update(data)
            file.write(data)
            done += len(data)
            shown = f"{done / _MIB:.1f} of {first.size / _MIB:.1f} MiB"
            on_progress(Progress(task=shown, host=access.host, done=done, expected=first.size))
        status, said = access.read(path, build_hash(path), seconds=_HASH_SECONDS)
        found = said[:64].decode(errors="replace")
        if len(said) < 64:
            raise HostError(f"{access.host}: the copy of {path} cannot be compared: the host has no sha256sum.")
        if status != first or found != digest.hexdigest():
            raise _changed(path)
        return done, found

    @contextmanager
    def _open(self, pattern: str, *, sudo: bool) -> Iterator[FileAccess]:
        """The one host that the pattern has to match."""
        view = self._inventory.read(pattern)
        if len(view.hosts) != 1:
            names = ", ".join(list(view.hosts)[:5])
            raise InputError(f"host: {pattern[:80]!r} matches {len(view.hosts)} hosts ({names}); name one of them.")
        [(name, host)] = view.hosts.items()
        check_request(self._config.policy, [COMMAND], {name: host.groups})
        with self._connections.session() as session:
            yield FileAccess(session, name, sudo=sudo)


def _show(access: FileAccess, window: Window) -> tuple[Encoding, str]:
    """The page as it is shown: masked text, bytes, or nothing where bytes may hold a secret."""
    if (text := read_text(window.page)) is not None:
        [(_, masked, _)] = access.mask([[context_text(window.before), text, context_text(window.after)]])
        return "text", masked
    views = binary_views(window)
    if [masked for _, masked, _ in access.mask(views)] != [page for _, page, _ in views]:
        return "withheld", ""
    return "base64", encode_page(window.page)


def _explain_list(access: FileAccess, path: str, outcome: Outcome) -> HostError:
    if b"printf" in outcome.stderr.data:
        return HostError(
            f"{access.host}: list_files needs GNU find there (findutils). run_command with 'ls -la' does without it."
        )
    return access.explain(path, outcome)


def _changed(path: str) -> HostError:
    return HostError(f"{path} changed while it was copied, and nothing was saved. Try again when nobody writes to it.")
