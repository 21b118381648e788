"""Keeps literal secret params out of every file: only ciphertext of Ansible Vault is written."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from intendant.intents import Intent, Step, referenced_variable
from intendant.plans import SENSITIVE, canonical_json
from intendant.redaction import SECRET_ID, SHOWN_ID, Redactor


class SecretBox:
    """Encrypts with a key that lives in the state folder (mode 0600) and is made on first use.

    The ciphertext is an ordinary vault value, so ansible-playbook decrypts it in memory, never treats it as a
    template, and our callback masks its plain text like that of every vaulted variable.
    """

    def __init__(self, state_dir: Path) -> None:
        self.key_file = state_dir / "vault.key"
        if not self.key_file.exists():
            self._create_key()
        self._key = self.key_file.read_bytes().strip()
        self._mac_key = hashlib.sha256(b"fingerprint" + self._key).digest()

    def _create_key(self) -> None:
        temporary = self.key_file.with_suffix(f".{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(temporary, self.key_file)  # fails when another process was first: its key counts
        except FileExistsError:
            pass
        finally:
            temporary.unlink()

    def encrypt(self, text: str, vault_id: str = SECRET_ID) -> str:
        """Ansible Vault ciphertext of a text."""
        from ansible.parsing.vault import VaultLib, VaultSecret  # slow to import, and rarely needed

        return str(VaultLib().encrypt(text, VaultSecret(self._key), vault_id).decode())

    def fingerprint(self, value: object) -> str:
        """HMAC-SHA-256 (hex): tells whether a value is the same without telling the value."""
        return hmac.new(self._mac_key, canonical_json(value), "sha256").hexdigest()


def encode_params(intent: Intent, step: Step, box: SecretBox) -> dict[str, Any]:
    """Params in the form of an extra-vars file that Ansible takes as data, never as templates.

    Strings become ``__ansible_unsafe``, those that are secret or look like it ``__ansible_vault``, references a
    template of that one variable.
    """
    return {name: _encode(value, intent.options.get(name, {}), box) for name, value in step.params.items()}


def hide_params(intent: Intent, step: Step) -> Step:
    """The step as it may be stored and shown: secret values masked, references kept."""
    params = {name: _hide(value, intent.options.get(name, {})) for name, value in step.params.items()}
    return Step(intent=step.intent, params=params)


def list_literals(intent: Intent, step: Step) -> list[str]:
    """Names of the params with a literal that ``encode_params`` would encrypt: only this machine can read it."""
    return [name for name, value in step.params.items() if _has_literal(value, intent.options.get(name, {}))]


def list_references(steps: Iterable[Step]) -> tuple[str, ...]:
    """Names of all variables that the steps' params refer to, sorted."""
    return tuple(sorted(set().union(*(find_references(dict(step.params)) for step in steps))))


def find_references(value: JsonValue) -> set[str]:
    """Names of all variables that ``from_var`` names inside a value."""
    if isinstance(value, dict):
        if name := referenced_variable(value):
            return {name}
        return set().union(*map(find_references, value.values()))
    if isinstance(value, list):
        return set().union(*map(find_references, value))
    return set()


def _encode(value: JsonValue, option: dict[str, Any], box: SecretBox) -> Any:
    if isinstance(value, dict):
        if name := referenced_variable(value):
            return "{{ " + name + " }}"
        return {key: _encode(item, _suboption(option, key), box) for key, item in value.items()}
    if isinstance(value, list):
        return [_encode(item, option, box) for item in value]
    if _is_secret(value, option):
        return {"__ansible_vault": box.encrypt(str(value))}
    if not isinstance(value, str):
        return value
    if _looks_secret(value):
        return {"__ansible_vault": box.encrypt(value, SHOWN_ID)}
    return {"__ansible_unsafe": value}


def _has_literal(value: JsonValue, option: dict[str, Any]) -> bool:
    if isinstance(value, dict):
        if referenced_variable(value):
            return False
        return any(_has_literal(item, _suboption(option, key)) for key, item in value.items())
    if isinstance(value, list):
        return any(_has_literal(item, option) for item in value)
    return _is_secret(value, option) or _looks_secret(value)


def _is_secret(value: JsonValue, option: dict[str, Any]) -> bool:
    return bool(option.get("no_log")) and value is not None and not isinstance(value, bool)


def _looks_secret(value: JsonValue) -> bool:
    return isinstance(value, str) and Redactor().redact(value) != value


def _hide(value: JsonValue, option: dict[str, Any]) -> JsonValue:
    if isinstance(value, dict):
        if referenced_variable(value):
            return value
        return {key: _hide(item, _suboption(option, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, option) for item in value]
    if option.get("no_log") and value is not None:
        return SENSITIVE
    return Redactor().redact(value) if isinstance(value, str) else value


def _suboption(option: dict[str, Any], key: str) -> dict[str, Any]:
    """The specification of a key inside a dict option; what is secret as a whole is secret in every part."""
    sub: dict[str, Any] = (option.get("options") or {}).get(key, {})
    return {**sub, "no_log": True} if option.get("no_log") else sub
