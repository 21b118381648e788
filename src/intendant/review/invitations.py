"""Who may see which page: one-time addresses, and the sessions that they are exchanged for. In memory only."""

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

#: 256 bits, of which only the SHA-256 is kept.
_TOKEN_BYTES = 32
#: the oldest are forgotten.
_MOST = 200


@dataclass
class Invitation:
    """One person's way to one page. ``name`` is in the path, no secret, and keeps cookies of other pages apart."""

    #: what the page is about: a plan's id, say.
    subject: str
    name: str
    token_hash: bytes
    session_hash: bytes | None = None
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES))
    #: makes what a passkey signs on this page differ from what it signed on any other.
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES))

    def holds(self, session: str) -> bool:
        """Whether this is the session that the token was exchanged for."""
        return self.session_hash is not None and hmac.compare_digest(self.session_hash, _digest(session))

    def accepts_form(self, csrf: str) -> bool:
        """Whether a form was made by this page."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode(errors="replace"))


class Invitations:
    """All invitations of one server; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Invitation] = OrderedDict()

    def issue(self, subject: str) -> tuple[str, str]:
        """A new invitation: its name and its token. Addresses of this page that nobody has opened lose their worth."""
        name, token = secrets.token_urlsafe(16), secrets.token_urlsafe(_TOKEN_BYTES)
        with self._lock:
            for old in [item for item in self._known.values() if item.subject == subject and not item.session_hash]:
                del self._known[old.name]
            self._known[name] = Invitation(subject, name, _digest(token))
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return name, token

    def exchange(self, name: str, token: str) -> str | None:
        """A session for a token, once; None for one that is wrong or was used."""
        with self._lock:
            found = self._known.get(name)
            if found is None or found.session_hash or not hmac.compare_digest(found.token_hash, _digest(token)):
                return None
            session = secrets.token_urlsafe(_TOKEN_BYTES)
            found.session_hash = _digest(session)
            return session

    def find(self, name: str, session: str) -> Invitation | None:
        """The invitation that this session belongs to."""
        with self._lock:
            found = self._known.get(name)
        return found if found is not None and found.holds(session) else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()
