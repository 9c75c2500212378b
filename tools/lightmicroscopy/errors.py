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
