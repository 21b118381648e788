"""What the answers of restic's versions mean."""

import pytest

from intendant.ansible.modules.backup_repository import judge

OLD_NONE = (
    "Fatal: unable to open config file: stat /srv/backup/config: no such file or directory\n"
    "Is there a repository at the following location?\n/srv/backup\n"
)


@pytest.mark.parametrize(
    ("rc", "errors", "meaning"),
    [
        (0, "", "there"),
        (1, OLD_NONE, "none"),
        (10, "Fatal: repository does not exist: unable to open config file", "none"),
        (1, "Fatal: wrong password or no key found", "wrong password"),
        (12, "Fatal: wrong password or no key found", "wrong password"),
        (1, "Fatal: unable to open config file: Stat: Access Denied.\n" + OLD_NONE, "unclear"),
        (1, "Fatal: unable to open config file: dial tcp: connection refused\n" + OLD_NONE, "unclear"),
        (1, "ssh: Could not resolve hostname nas: Name or service not known", "unclear"),
        (124, "", "unclear"),
    ],
)
def test_only_a_repository_that_is_surely_not_there_is_made(rc: int, errors: str, meaning: str) -> None:
    assert judge(rc, errors) == meaning
