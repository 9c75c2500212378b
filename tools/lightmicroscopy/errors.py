"""The errors a user may see. Every message is a sentence: what, which file, what to do about it."""

from __future__ import annotations


class SuiteError(Exception):
    """Anything foreseen that stops the work; its text is shown to the user as it is."""

    exit_code = 1


class UsageError(SuiteError):
    """The request itself is wrong (an impossible selection, a malformed value): nothing was written."""

    exit_code = 2


class UnreadableError(SuiteError):
    """An input is damaged, is not what it says it is, or is of a kind no reader knows."""


class UnwritableError(SuiteError):
    """An output cannot be written: no space, no permission, or the format cannot hold these pixels."""


class LimitError(SuiteError):
    """An input asks for more memory, members or bytes than is allowed; nothing that large was attempted."""


class ArchiveError(SuiteError):
    """A service said no, contradicted itself, or cannot be reached."""


class MissingError(ArchiveError):
    """A service has no such object or file."""


class DeniedError(ArchiveError):
    """A service keeps an object to itself, or does not say whether there is one."""


class NotAllowedError(ArchiveError):
    """A host that is not configured, or an address inside a private network; nothing was sent to it."""


class TooLongError(ArchiveError, LimitError):
    """An answer is longer than allowed; no more than allowed of it was read."""


def why_unreadable(name: str, error: BaseException) -> str:
    """Say of an input that it cannot be read: why if the system said so, else that nobody foresaw this."""
    if isinstance(error, SuiteError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{name} cannot be read: {error.strerror}. Check that it is there, its disk, and that you may read it and all that is in it."
    return f"{name} cannot be read ({type(error).__name__}: {error}). It is damaged, or this suite has a fault: please report it."
