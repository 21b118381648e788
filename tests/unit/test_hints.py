"""What Ansible says about a host that cannot be reached or changed is followed by what to do about it."""

import pytest

from intendant.runner.hints import explain_failure

# The messages are Ansible's, OpenSSH's, sudo's, apt's and the kernel's own.
SAID = {
    "no route": (
        "Failed to connect to the host via ssh: ssh: connect to host 192.0.2.1 port 22: No route to host",
        "The host does not answer",
    ),
    "no answer": (
        "Failed to connect to the host via ssh: ssh: connect to host 192.0.2.1 port 22: Connection timed out",
        "The host does not answer",
    ),
    "nothing listens": (
        "Failed to connect to the host via ssh: ssh: connect to host 192.0.2.1 port 22: Connection refused",
        "Is sshd running",
    ),
    "no such name": (
        "Failed to connect to the host via ssh: ssh: Could not resolve hostname web9: Name or service not known",
        "The name does not resolve",
    ),
    "wrong key": (
        "Failed to connect to the host via ssh: admin@192.0.2.1: Permission denied (publickey,password).",
        "The login was refused",
    ),
    "unknown host key": (
        "Failed to connect to the host via ssh: No ED25519 host key is known for 192.0.2.1 and you have requested "
        "strict checking.\r\nHost key verification failed.",
        "The host's key is not known yet",
    ),
    "changed host key": (
        "Failed to connect to the host via ssh: @@@@@@@@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED"
        "     @\r\nOffending ED25519 key in /home/me/.ssh/known_hosts:3\r\nHost key verification failed.",
        "presents another key",
    ),
    "sudo wants a password": ("Missing sudo password", "may not become root"),
    "sudo wants a password, with pipelining": ("sudo: a password is required", "may not become root"),
    "no sudo right": ("admin is not in the sudoers file.", "may not become root"),
    "sudo is missing": ("/bin/sh: 1: sudo: not found", "may not become root"),
    "no python": ("/bin/sh: 1: /usr/bin/python3: not found", "Ansible needs Python"),
    "no python found": ("No python interpreters found for host web1 (tried ['python3.13'])", "Ansible needs Python"),
    "full disk": ("[Errno 28] No space left on device", "The disk of the host is full"),
    "full disk, before anything runs": (
        "FileNotFoundError: [Errno 2] No usable temporary directory found in ['/tmp', '/var/tmp', '/home/me']",
        "the disk of the host is full",
    ),
    "full disk, by apt": (
        "apt-get failed: E: You don't have enough free space in /var/cache/apt/archives/.",
        "The disk of the host is full",
    ),
    "apt is locked": (
        "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (apt-get)",
        "Another package manager is at work",
    ),
    "python is elsewhere": (
        "The module interpreter '/opt/python/3.99/bin/python3' was not found.",
        "set ansible_python_interpreter",
    ),
    "no python, says env": ("/usr/bin/env: ‘python3’: No such file or directory", "Ansible needs Python"),
    "vault": (
        "Decryption failed (no vault secrets were found that could decrypt).",
        "vaulted variable cannot be decrypted",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_the_modules_own_words_come_first_and_the_hint_after_them(name: str) -> None:
    message, hint = SAID[name]
    explained = explain_failure(message)
    assert explained.startswith(message)
    assert hint in explained.removeprefix(message)
    assert explained.endswith((".", "?"))


@pytest.mark.parametrize(
    "message",
    [
        "apt-get failed: E: Unable to locate package nosuchthing",
        "the owner nobody2 does not exist on this host",
        "nginx.service does not stay active",
        "https://example.org/1/cpython-3.12.4+1-install_only.tar.gz cannot be read: HTTP Error 404: Not Found",
        "Python 3.12 cannot be brought to the state absent: [Errno 2] No such file or directory: '/opt/python/3.12.4'",
        'file_path must be an absolute path without ".."; got "python3"',
        "the package python3-apt has no candidate",
        "/srv/python/app.ini cannot be brought to the state present: [Errno 13] Permission denied: '/srv'",
    ],
)
def test_a_failure_of_another_kind_gets_no_hint(message: str) -> None:
    assert explain_failure(message) == message


def test_a_failure_without_words_says_so() -> None:
    assert explain_failure("  \n") == "The task failed without a message."


@pytest.mark.parametrize(
    "message",
    [
        "Request failed: <urlopen error [Errno -2] Name or service not known>",
        "Could not connect to 192.0.2.7:80, connection timed out",
        "<urlopen error [Errno 111] Connection refused>",
    ],
)
def test_a_download_that_fails_on_the_host_is_not_taken_for_a_host_that_cannot_be_reached(message: str) -> None:
    assert explain_failure(message) == message
