"""Brings a file of the machine that runs Ansible to a host; see the module of the same name.

What differs on the host is found out first, by size and digest: check mode transfers nothing but small files that the
diff shows, and a file that is there already is not sent again.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat

from ansible.plugins.action import ActionBase

#: as in the module: what the diff shows as text goes with its arguments.
SHOWN = 200_000


class ActionModule(ActionBase):
    """See the module's text."""

    _supports_check_mode = True
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        source = arguments.pop("source", None)
        if source is None:
            return result | self._execute_module(task_vars=task_vars)
        try:
            size, digest, content = read_source(source)
        except OSError as error:
            problem = error.strerror or "it is no regular file"
            return result | {
                "failed": True,
                "msg": f"file_source: {source} cannot be read on the machine that runs Ansible: {problem}",
            }
        arguments |= {"size": size, "sha256": digest}
        if content is not None:
            arguments["content_base64"] = base64.b64encode(content).decode()
        answer = self._execute_module(module_args=arguments, task_vars=task_vars)
        if not answer.get("wanted"):
            return result | answer
        try:
            folder = self._make_tmp_path()
            staged = self._connection._shell.join_path(folder, "content")
            self._transfer_file(source, staged)
            self._fixup_perms2((folder, staged), execute=False)
            return result | self._execute_module(module_args=arguments | {"staged": staged}, task_vars=task_vars)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)


def read_source(path):
    """Size in bytes and SHA-256 of a regular file, and its content if a diff may show it.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    digest, head, size = hashlib.sha256(), b"", 0
    # Without waiting: a FIFO would hang until somebody writes to it.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            head = (head + chunk)[: SHOWN + 1] if len(head) <= SHOWN else head
            size += len(chunk)
    return size, digest.hexdigest(), head if size <= SHOWN else None
