"""Everything that a command could leave on a lab host: every file and every process, told apart to the last bit."""

import json
import shlex

from lab.hosts import LabHost

# What is not compared, and why. All of it is written by logging in, or made by the kernel, not by a command.
_EXCLUDED = {
    "/proc": "made by the kernel as it is read",
    "/sys": "made by the kernel as it is read",
    "/dev": "devices and memory that goes with the host",
    "/run": "memory that goes with the host: sockets, locks, the record of sessions",
    "/var/log/journal": "the journal notes each login and each sudo",
    "/var/log/wtmp": "the record of logins",
    "/var/log/lastlog": "the record of last logins",
    "/var/lib/wtmpdb": "the record of logins",
}
# Their own time of change only: a service that D-Bus starts has a private folder there for as long as it runs.
_SHARED = ("/tmp", "/var/tmp")

_SCRIPT = r"""
import hashlib, json, os, sys
excluded, shared = (set(word.split(",")) for word in sys.argv[1:3])
def tell(path):
    status = os.lstat(path)
    told = f"{status.st_mode:o} {status.st_uid}:{status.st_gid} links {status.st_nlink} size {status.st_size}"
    if path not in shared:
        told += f" changed {status.st_mtime_ns}"
    if os.path.islink(path):
        return f"{told} -> {os.readlink(path)}"
    if os.path.isfile(path):
        with open(path, "rb") as file:
            told += " " + hashlib.file_digest(file, "sha256").hexdigest()
    return told
found = {}
for top, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(top, name) not in excluded]
    for name in folders + names:
        path = os.path.join(top, name)
        if path not in excluded:
            found[path] = tell(path)
own, pid = set(), os.getpid()
processes = {}
for name in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{name}/cmdline", "rb") as file:
            words = file.read().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
        with open(f"/proc/{name}/stat") as file:
            stat = file.read().rpartition(")")[2].split()
        owner = os.stat(f"/proc/{name}").st_uid
    except (FileNotFoundError, ProcessLookupError):
        continue
    processes[int(name)] = (int(stat[1]), words, f"{owner} since {stat[19]}: {words}")
while pid in processes:
    own.add(pid)
    pid = processes[pid][0] if processes[pid][0] != 1 else 0
listener = "sshd: /"
for pid, (parent, words, told) in processes.items():
    # sshd's process for one login; the listener counts them in its title.
    if words.startswith(listener):
        found[f"process {pid}"] = told.partition(" [listener]")[0]
    elif words and pid not in own and not words.startswith(("sshd: ", "sshd-session: ", "sshd-auth: ")):
        found[f"process {pid}"] = told
print(json.dumps(found))
"""


def read_traces(host: LabHost) -> dict[str, str]:
    """What is on the host: for each path kind, permissions, owner, size, time of change and content; every process.

    Left out are the processes of logins themselves (sshd's, and those that this question needs). The time of the last
    read is not compared: reading is what the commands do.
    """
    words = ["python3", "-B", "-c", _SCRIPT, ",".join(_EXCLUDED), ",".join(_SHARED)]
    traces: dict[str, str] = json.loads(host.run(shlex.join(words)).stdout)
    return traces
