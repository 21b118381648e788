#!/usr/bin/python
"""A certificate from an ACME server through certbot, predictable before certbot is installed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: tls_certbot
short_description: A certificate from an ACME server, through certbot
description:
  - Compares what certbot keeps under a name with what is wanted, and asks the server only if they differ.
  - Renewal is left to certbot's own timer. A certificate that is there counts, however old it is.
  - Check mode does not talk to the server, so it cannot know whether the server will grant the certificate.
options:
  name:
    description: Name of the certificate with certbot.
    type: str
    required: true
  state:
    description: Whether certbot keeps such a certificate.
    type: str
    choices: [present, absent]
    default: present
  names:
    description: DNS names that the certificate is for.
    type: list
    elements: str
    default: []
  server:
    description: Address of the server's directory.
    type: str
  email:
    description: Address that the account is registered with. Only used when there is no account yet.
    type: str
  webroot:
    description: Folder that a web server shows the answers from. Unset lets certbot answer itself, on port 80.
    type: str
attributes:
  check_mode: {support: full}
  diff_mode: {support: full}
author: Intendant contributors
"""

EXAMPLES = r"""
- name: Have a certificate
  ansible.legacy.tls_certbot:
    name: example.org
    names: [example.org, www.example.org]
    server: https://acme.example.net/directory
    email: admin@example.org
    webroot: /var/www/acme
"""

RETURN = r"""
created: {description: Whether certbot had no such certificate before., type: bool, returned: always}
"""

import configparser
import os
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

HOME = "/etc/letsencrypt"


def describe(names: list[str], server: str, challenge: str) -> str:
    return f"names: {', '.join(sorted(names))}\nfrom: {server}\nchallenge: {challenge}\n"


def read_renewal(text: str) -> tuple[str, str]:
    """Return the server and the challenge that certbot renews with. Raises configparser.Error."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    # certbot writes nested sections such as [[webroot_map]]; what is in them has names of its own.
    parser.read_string("[top]\n" + re.sub(r"^\[\[(.*)\]\]$", r"[\1]", text, flags=re.MULTILINE))
    options = parser["renewalparams"] if parser.has_section("renewalparams") else {}
    challenge = options.get("authenticator") or "unknown"
    if challenge == "webroot":
        challenge += " " + (options.get("webroot_path") or "").rstrip(",")
    return options.get("server") or "unknown", challenge


class Certbot:
    """What certbot keeps under one name."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module, self.name = module, module.params["name"]
        self.renewal = f"{HOME}/renewal/{self.name}.conf"

    def run(self, *argv: str) -> tuple[int, str]:
        rc, out, err = self.module.run_command(
            list(argv), environ_update={"LC_ALL": "C"}, expand_user_and_vars=False, handle_exceptions=False
        )
        return rc, out + err

    def describe_found(self) -> str:
        """Render what is there; nothing if there is nothing."""
        if not os.path.exists(self.renewal):
            return ""
        rc, said = self.run(
            "openssl", "x509", "-in", f"{HOME}/live/{self.name}/cert.pem", "-noout", "-ext", "subjectAltName"
        )
        if rc != 0:
            return "a certificate that cannot be read\n"
        with open(self.renewal) as file:
            server, challenge = read_renewal(file.read())
        return describe(re.findall(r"DNS:([^,\s]+)", said), server, challenge)

    def ask(self, anew: bool) -> None:
        """Let certbot get the certificate. Ends the module when it does not."""
        params = self.module.params
        command = ["certbot", "certonly", "--non-interactive", "--agree-tos", "--cert-name", self.name]
        command += ["--server", params["server"]]
        command += ["--webroot", "-w", params["webroot"]] if params["webroot"] else ["--standalone"]
        command += ["--email", params["email"]] if params["email"] else ["--register-unsafely-without-email"]
        command += ["--renew-with-new-domains", "--force-renewal"] if anew else []
        for name in params["names"]:
            command += ["-d", name]
        rc, said = self.run(*command)
        if rc != 0:
            self.fail("gets no certificate", said)

    def delete(self) -> None:
        rc, said = self.run("certbot", "delete", "--non-interactive", "--cert-name", self.name)
        if rc != 0:
            self.fail("does not delete the certificate", said)

    def fail(self, what: str, said: str) -> None:
        noise = ("Saving debug log", "Ask for help", "- - -")
        lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(noise)]
        self.module.fail_json(msg=f"certbot {what}: {' '.join(lines[-12:])}")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "names": {"type": "list", "elements": "str", "default": []},
            "server": {"type": "str"},
            "email": {"type": "str"},
            "webroot": {"type": "str"},
        },
        required_if=[["state", "present", ["names", "server"]]],
        supports_check_mode=True,
    )
    params = module.params
    given = [params["name"], *params["names"], params["server"] or "", params["email"] or "", params["webroot"] or ""]
    if "/" in params["name"] or any(text.startswith("-") or not text.isprintable() for text in given):
        module.fail_json(msg="no argument may start with a dash or hold control characters, and name no slash")
    certbot = Certbot(module)
    challenge = f"webroot {params['webroot']}" if params["webroot"] else "standalone"
    wanted = params["state"] == "present"
    after = describe([name.lower() for name in params["names"]], params["server"], challenge) if wanted else ""
    try:
        before = certbot.describe_found()
        header = f"certificate {params['name']}"
        diff = {"before": before, "after": after, "before_header": header, "after_header": header}
        result: dict[str, Any] = {"changed": before != after, "created": not before and wanted, "diff": diff}
        if before != after and not module.check_mode:
            if wanted:
                certbot.ask(anew=bool(before))
            else:
                certbot.delete()
            if certbot.describe_found() != after:
                found = certbot.describe_found().strip().replace("\n", ", ")
                module.fail_json(msg=f"after certbot the certificate is not as wanted: {found or 'there is none'}")
    except (OSError, configparser.Error) as error:
        module.fail_json(msg=f"the certificate {params['name']} cannot be managed: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
