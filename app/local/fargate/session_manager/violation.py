"""What a client may not do."""


class Violation(Exception):
    """A client broke the protocol; the text says how."""
