#!/usr/bin/python
"""A self-signed certificate with its key, renewed before it ends; the key is never shown."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tls_self_signed
short_description: A self-signed certificate that is renewed before it ends
description:
  - Keeps C(fullchain.pem) and C(privkey.pem) in a folder. Both are made anew, by C(openssl), when a field is not as
    wanted, when the end is near, or when the key is missing, of another certificate or readable by others than root.
  - The diff names the fields of the certificate. Neither the diff nor the result ever holds anything of the key.
  - Check mode needs C(openssl) only to read a certificate that is there.
options:
  folder:
    description: Absolute path of the folder. It is created, with mode 0755, when missing.
    type: str
    required: true
  names:
    description: DNS names and IP addresses that the certificate is for. The first is the subject too.
    type: list
    elements: str
    required: true
  days:
    description: How long a new certificate is valid.
    type: int
    default: 825
  renew_days:
    description: Less than this many days before the end a new one is made.
    type: int
    default: 30
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Have a certificate for tests
  ansible.legacy.tls_self_signed:
    folder: /etc/ssl/test
    names: [test.example.org, 192.0.2.7]
"""

RETURN = r"""
created: {description: Whether there was no certificate before., type: bool, returned: always}
blind_spot: {description: What check mode could not see., type: str, returned: in check mode without openssl}
"""

import datetime
import ipaddress
import os
import re
import ssl
import stat
import tempfile
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DAY = 86400
# No certificate authority, and for servers only.
CONFIG = """
[req]
prompt = no
distinguished_name = subject
x509_extensions = extensions
[subject]
CN = {subject}
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""
NAME = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\Z")


def spell(name: str) -> str:
    """Return a name in the one way it is compared and shown. Raises ValueError for what is no name."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if NAME.match(name):
            return name.lower()
        raise


def as_alternative(name: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def read_fields(said: str) -> dict[str, Any]:
    """Read what `openssl x509 -noout -subject -dates -ext subjectAltName -nameopt RFC2253` prints."""
    fields = dict(re.findall(r"^(subject|notBefore|notAfter)=(.*)$", said, re.MULTILINE))
    began, ends = (ssl.cert_time_to_seconds(fields[key]) for key in ("notBefore", "notAfter"))
    names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", said)
    return {
        "subject": fields["subject"].strip(),
        "names": [spell(name) for name in names],
        "days": round((ends - began) / DAY),
        "ends": ends,
    }


def describe(subject: str, names: list[str], days: int) -> str:
    return f"subject: {subject}\nnames: {', '.join(names)}\ndays: {days}\n"


class Certificate:
    """The files in the folder."""

    def __init__(self, module: AnsibleModule, folder: str) -> None:
        self.module, self.folder = module, folder
        self.chain, self.key = f"{folder}/fullchain.pem", f"{folder}/privkey.pem"

    def openssl(self, *argv: str) -> tuple[int, str, str]:
        rc, out, err = self.module.run_command(
            ["openssl", *argv], environ_update={"LC_ALL": "C"}, expand_user_and_vars=False, handle_exceptions=False
        )
        return rc, out, err

    def describe_found(self, renew_days: int) -> str:
        """Render what is there. Whatever calls for new files makes it differ from what is wanted."""
        for path in (self.chain, self.key):
            if os.path.islink(path):
                return f"link to {os.readlink(path)}\n"
        if not os.path.exists(self.chain):
            return "a key without a certificate\n" if os.path.exists(self.key) else ""
        argv = ["-noout", "-subject", "-dates", "-ext", "subjectAltName", "-nameopt", "RFC2253"]
        rc, out, _err = self.openssl("x509", "-in", self.chain, *argv)
        try:
            fields = read_fields(out) if rc == 0 else None
        except (KeyError, ValueError):
            fields = None
        if fields is None:
            return "a certificate that cannot be read\n"
        told = describe(fields["subject"], fields["names"], fields["days"])
        if fields["ends"] - time.time() < renew_days * DAY:
            told += f"ends: {datetime.datetime.fromtimestamp(fields['ends'], datetime.timezone.utc):%Y-%m-%d}\n"
        return told + self.describe_key()

    def describe_key(self) -> str:
        """Say what is wrong with the key, or nothing."""
        if not os.path.exists(self.key):
            return "key: missing\n"
        status = os.stat(self.key)
        if stat.S_IMODE(status.st_mode) != 0o600 or status.st_uid != 0:
            return "key: readable by others\n"
        of_key = self.openssl("pkey", "-in", self.key, "-pubout", "-passin", "pass:")
        of_chain = self.openssl("x509", "-in", self.chain, "-noout", "-pubkey")
        return "" if of_key[0] == 0 and of_key[1] == of_chain[1] else "key: of another certificate\n"

    def make(self, subject: str, names: list[str], days: int) -> None:
        """Make both files beside the old ones, then put them in their place. Raises OSError."""
        if not os.path.isdir(self.folder):
            os.makedirs(self.folder, mode=0o755)
            os.chmod(self.folder, 0o755)
        with tempfile.TemporaryDirectory(dir=self.folder) as beside:
            config = f"{beside}/config"
            with open(config, "w") as file:
                alternatives = ", ".join(as_alternative(name) for name in names)
                file.write(CONFIG.format(subject=subject.removeprefix("CN="), names=alternatives))
            rc, _out, err = self.openssl(
                "req", "-x509", "-config", config, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-noenc", "-days", str(days), "-keyout", f"{beside}/key", "-out", f"{beside}/chain",
            )  # fmt: skip
            if rc != 0:
                self.module.fail_json(msg=f"openssl makes no certificate: {err.strip()}")
            os.chmod(f"{beside}/key", 0o600)
            os.chmod(f"{beside}/chain", 0o644)
            os.replace(f"{beside}/key", self.key)
            os.replace(f"{beside}/chain", self.chain)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "str", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
            "days": {"type": "int", "default": 825},
            "renew_days": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    params = module.params
    days, renew_days = params["days"], params["renew_days"]
    try:
        names = list(dict.fromkeys(spell(name) for name in params["names"]))
    except ValueError:
        module.fail_json(msg=f"names: each must be a DNS name or an IP address; got {params['names']}")
    if not names or not 0 <= renew_days < days:
        module.fail_json(msg="give at least one name, and days that are more than renew_days")
    if not params["folder"].startswith("/"):
        module.fail_json(msg="folder must be an absolute path")
    certificate = Certificate(module, params["folder"].rstrip("/"))
    # The subject has room for 64 characters; clients look at the names.
    subject = f"CN={names[0][:64]}"
    after = describe(subject, names, days)
    blind_spot = ""
    try:
        before = certificate.describe_found(renew_days)
    except OSError as error:
        if not module.check_mode:
            module.fail_json(msg=f"the certificate cannot be read: {error}")
        before, blind_spot = after, "openssl is not there yet, so the certificate could not be read"
    header = f"certificate {certificate.chain}"
    diff = {"before": before, "after": after, "before_header": header, "after_header": header}
    result: dict[str, Any] = {"changed": before != after, "created": before == "", "diff": diff}
    if blind_spot:
        result["blind_spot"] = blind_spot
    if before != after and not module.check_mode:
        try:
            certificate.make(subject, names, days)
        except OSError as error:
            module.fail_json(msg=f"the certificate cannot be made: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
