"""What to do about the failures that people meet most; the module's own words always come first."""

import re

# Of the network only what Ansible says of its own connection: a download that fails on the host is another matter.
_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Offending \S+ key",
        "The host presents another key than the known one. If it was reinstalled, remove the old key with "
        "'ssh-keygen -R ADDRESS' and verify the new fingerprint; if not, someone may be in between.",
    ),
    (
        r"Host key verification failed|No \S+ host key is known",
        "The host's key is not known yet. Connect once with ssh, compare the fingerprint with the host's own "
        "(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and accept it.",
    ),
    (
        r"Permission denied \(|Too many authentication failures|Invalid/incorrect password",
        "The login was refused. Check ansible_user and the key (ansible_ssh_private_key_file or the agent); "
        "'ssh-copy-id USER@ADDRESS' installs a public key.",
    ),
    (
        r"Missing sudo password|sudo: a password is required|Incorrect sudo password|is not in the sudoers"
        r"|not allowed to execute|sudo: .*not found|a terminal is required",
        "The login works but it may not become root. Give the user a sudo rule, or set ansible_become_password "
        "in a vaulted variable.",
    ),
    (
        r"No space left on device|not enough free space|You don't have enough free space",
        "The disk of the host is full. Free space ('df -h', 'du -xh / | sort -h | tail') and plan again.",
    ),
    (
        r"No usable temporary directory",
        "No program can write a temporary file there: most likely the disk of the host is full, or mounted read-only. "
        "Free space ('df -h', 'du -xh / | sort -h | tail') and plan again.",
    ),
    (
        r"python[\d.]*['’]?: (command )?(not found|No such file)|No python interpreters found"
        r"|interpreter \S+ was not found|missing a discovered interpreter",
        "Ansible needs Python 3.9 or newer on the host. On Debian: 'apt-get install python3'; or set "
        "ansible_python_interpreter.",
    ),
    (
        r"via ssh.*(Could not resolve hostname|Name or service not known|Temporary failure in name resolution)",
        "The name does not resolve. Check ansible_host, DNS and ~/.ssh/config.",
    ),
    (
        r"via ssh.*(No route to host|Network is unreachable|timed out)",
        "The host does not answer. Is it up, is the address right, does a firewall let ssh through?",
    ),
    (
        r"via ssh.*Connection refused",
        "The host answers but nothing listens there. Is sshd running, is ansible_port right?",
    ),
    (
        r"Could not get lock|Unable to lock|dpkg frontend lock|lock-frontend",
        "Another package manager is at work on the host (unattended-upgrades, perhaps). Wait for it and plan again.",
    ),
    (r"Decryption failed|no vault secrets", "A vaulted variable cannot be decrypted. Check the vault password file."),
)


def explain_failure(message: str) -> str:
    """The message, followed by what to do about it where that is known."""
    message = message.strip() or "The task failed without a message."
    for pattern, hint in _HINTS:
        if re.search(pattern, message, re.IGNORECASE | re.DOTALL):
            return f"{message}\n{hint}"
    return message
