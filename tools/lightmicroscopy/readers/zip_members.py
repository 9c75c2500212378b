"""Members of a zip by name, read with pread and checked against their CRC.

Only the directory at the zip's end is read on opening, and only after its stated size and count were found bearable.
Source: PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import re
import stat
import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import LimitError, UnreadableError
from ..names import readable
from .files import RandomFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMBERS: Final = 1_000_000
"""Members refused from; a store of 500 GB in chunks of 1 MB has half as many."""
DIRECTORY: Final = 256 * 1024 * 1024
"""Bytes of the zip's directory accepted."""
INFLATED: Final = 4 << 30
"""Bytes of one compressed member accepted."""

RANGED: Final = 64 << 20
"""Bytes of a compressed member accepted where only parts of it are read: each part costs inflating it whole."""
CHECKED: Final = 1 << 30
"""Bytes of a stored member that are read once to check them, where only parts of it are asked for."""
_PIECE: Final = 8 << 20
_METADATA: Final = frozenset({".zattrs", ".zgroup", ".zarray", ".zmetadata", "zarr.json", "METADATA.ome.xml"})

_END: Final = struct.Struct("<4s4H2LH")
_END64_LOCATOR: Final = struct.Struct("<4sLQL")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_CENTRAL: Final = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT: Final = 65535
_ABSENT_32: Final = 0xFFFFFFFF
_ABSENT_16: Final = 0xFFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800
_UNIX: Final = 3
_DRIVE: Final = re.compile(r"^[A-Za-z]:")


class Member(NamedTuple):
    """Where a member is and how long."""

    offset: int
    packed: int
    size: int
    crc: int
    method: int


class ZipMembers:
    """Read access to the members of a zip.

    Raises
    ------
    UnreadableError
        If it is damaged, encrypted, spread over several volumes, or has a member with a name that leads outside it.
    LimitError
        If its directory is too long.
    """

    def __init__(self, path: Path) -> None:
        self.name = readable(path.name)
        self._file = RandomFile(path)
        self._last: tuple[str, bytes] = ("", b"")
        self._whole: set[str] = set()
        self._names_checked = False
        try:
            # Of two members of one name the last counts, as everywhere: zarr-python's own zips hold metadata again after a change.
            self._members: dict[str, Member] = {}
            for name, member in self._directory():
                if name in self._members:
                    self._start(name, self._members[name])
                self._members[name] = member
        except BaseException:
            self._file.close()
            raise

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> Iterator[str]:
        """Names of all files (not folders)."""
        return iter(self._members)

    def size(self, name: str) -> int | None:
        """Length of a member when unpacked; ``None`` if there is none of that name.

        Raises
        ------
        UnreadableError
            If a chunk is not there, and some member has another name in the directory than before its data.
        """
        member = self._members.get(name)
        if member is None and not self._names_checked and name.rpartition("/")[2] not in _METADATA:
            # What is missing is the fill value, so that a name gone wrong would turn a part of the image black.
            for known, other in self._members.items():
                self._start(known, other)
            self._names_checked = True
        return None if member is None else member.size

    def read(self, name: str) -> bytes:
        """Whole content of a member, its CRC checked."""
        member = self._members[name]
        packed = self._file.read(self._start(name, member), member.packed)
        if len(packed) != member.packed:
            raise self._damaged(f"{name} is cut off")
        data = packed if member.method == _STORED else self._inflate(name, member, packed)
        if len(data) != member.size or zlib.crc32(data) != member.crc:
            raise self._damaged(f"{name} does not have the checksum it should have")
        return data

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Part of a member. One that is stored uncompressed is checked as a whole when its first part is read, up to `CHECKED` bytes.

        Raises
        ------
        LimitError
            If it is compressed and longer than `RANGED`.
        """
        member = self._members[name]
        if member.method != _STORED:
            return self._inflated(name, member)[offset : offset + length]
        start = self._start(name, member)
        if name not in self._whole and member.size <= CHECKED:
            self._check_stored(name, member, start)
            self._whole.add(name)
        return self._file.read(start + offset, min(length, max(0, member.size - offset)))

    def _check_stored(self, name: str, member: Member, start: int) -> None:
        crc = 0
        for at in range(0, member.size, _PIECE):
            crc = zlib.crc32(self._file.read(start + at, min(_PIECE, member.size - at)), crc)
        if crc != member.crc:
            raise self._damaged(f"{name} does not have the checksum it should have")

    def _inflated(self, name: str, member: Member) -> bytes:
        """Whole content; the last one is kept, since the parts of a shard are read one after another."""
        if member.size > RANGED:
            raise LimitError(
                f"{self.name}: {name} is a shard of {member.size:,} bytes that the zip has compressed once more, so that each of its chunks would "
                f"cost unpacking all of it; at most {RANGED:,} bytes are. Unpack it and zip the store without compression, or give the folder."
            )
        last, data = self._last
        if last != name:
            data = self.read(name)
            self._last = (name, data)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _start(self, name: str, member: Member) -> int:
        header = self._file.read(member.offset, _LOCAL.size + 4 * len(name))
        if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
            raise self._damaged(f"{name} is not where its directory says")
        _, _, flags, *_, name_length, extra_length = _LOCAL.unpack_from(header)
        own = header[_LOCAL.size : _LOCAL.size + name_length].decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        if _plain(own) != name:
            raise self._damaged(f"what its directory calls {name} calls itself {own[:80]!r}")
        return member.offset + _LOCAL.size + int(name_length) + int(extra_length)

    def _inflate(self, name: str, member: Member, packed: bytes) -> bytes:
        if member.size > INFLATED:
            raise LimitError(f"{self.name}: {name} would unpack to {member.size:,} bytes; at most {INFLATED:,} are accepted.")
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.size + 1)
        except zlib.error as error:
            raise self._damaged(f"{name} cannot be unpacked ({error})") from error

    def _directory(self) -> Iterator[tuple[str, Member]]:
        count, size, offset = self._end()
        if count >= MEMBERS or size > DIRECTORY:
            raise LimitError(
                f"{self.name} is a zip of {count:,} members with a directory of {size:,} bytes; fewer than {MEMBERS:,} members and at most "
                f"{DIRECTORY:,} bytes are read. Unpack it and give the folder, or write it again with larger chunks."
            )
        if offset + size > self._file.size or count * _CENTRAL.size > size:
            raise self._damaged("its directory is cut off")
        directory = self._file.read(offset, size)
        at = 0
        for _ in range(count):
            name, member, at = self._entry(directory, at)
            if not name.endswith("/"):
                yield _plain(name), member

    def _end(self) -> tuple[int, int, int]:
        """Count of members, and size and offset of the directory."""
        tail_at = max(0, self._file.size - _END.size - _LONGEST_COMMENT)
        tail = self._file.read(tail_at, self._file.size - tail_at)
        found = tail.rfind(b"PK\x05\x06")
        if found < 0 or found + _END.size > len(tail):
            raise self._damaged("it has no directory at its end")
        _, disk, first_disk, _, count, size, offset, _ = _END.unpack_from(tail, found)
        if count == _ABSENT_16 or _ABSENT_32 in {size, offset}:
            count, size, offset = self._end64(tail_at + found) or (count, size, offset)
        elif disk or first_disk:
            raise UnreadableError(f"{self.name} is one volume of a zip in several. Join them into one zip first.")
        return count, size, offset

    def _end64(self, end_at: int) -> tuple[int, int, int] | None:
        locator = self._file.read(max(0, end_at - _END64_LOCATOR.size), _END64_LOCATOR.size)
        if not locator.startswith(b"PK\x06\x07"):
            return None
        _, _, at, _ = _END64_LOCATOR.unpack(locator)
        record = self._file.read(at, _END64.size)
        if len(record) < _END64.size or not record.startswith(b"PK\x06\x06"):
            raise self._damaged("its directory's end is not where it says")
        *_, count, size, offset = _END64.unpack(record)
        return count, size, offset

    def _entry(self, directory: bytes, at: int) -> tuple[str, Member, int]:
        if at + _CENTRAL.size > len(directory) or not directory.startswith(b"PK\x01\x02", at):
            raise self._damaged("its directory is damaged")
        (_, _, system, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length, comment_length, _, _, attributes, offset) = (
            _CENTRAL.unpack_from(directory, at)
        )
        name_at = at + _CENTRAL.size
        extra_at = name_at + name_length
        name = directory[name_at:extra_at].decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        member = self._wide(directory[extra_at : extra_at + extra_length], Member(offset, packed, size, crc, method))
        self._check(name, flags, member, system, attributes >> 16)
        return name, member, extra_at + extra_length + comment_length

    def _wide(self, extra: bytes, member: Member) -> Member:
        """Fill in sizes and offset that take 64 bits from the extra field."""
        absent = [field for field in ("size", "packed", "offset") if getattr(member, field) == _ABSENT_32]
        at = 0
        while absent and at + 4 <= len(extra):
            identifier, length = struct.unpack_from("<2H", extra, at)
            if identifier == 1:
                if length < 8 * len(absent) or at + 4 + length > len(extra):
                    raise self._damaged("its directory is damaged")
                return member._replace(**dict(zip(absent, struct.unpack_from(f"<{len(absent)}Q", extra, at + 4), strict=True)))
            at += 4 + length
        return member

    def _check(self, name: str, flags: int, member: Member, system: int, mode: int) -> None:
        if name.startswith("/") or "\\" in name or "\0" in name or _DRIVE.match(name) or ".." in name.split("/"):
            raise UnreadableError(
                f"{self.name} has a member called {name!r}, which would lie outside the zip. Such zips are not read; make a new one."
            )
        if system == _UNIX and stat.S_ISLNK(mode):
            raise UnreadableError(f"{self.name} has a symbolic link among its members ({name}), which is not followed. Zip the files themselves.")
        if flags & _ENCRYPTED:
            raise UnreadableError(f"{self.name} is encrypted. Unpack it with its password and zip it again without one.")
        if member.method not in {_STORED, _DEFLATED} or (member.method == _STORED and member.packed != member.size):
            raise UnreadableError(
                f"{self.name}: {name} is packed by a method ({member.method}) that is not read. Zip the store again without compression."
            )

    def _damaged(self, what: str) -> UnreadableError:
        return UnreadableError(f"{self.name} is a damaged zip: {what}. Check that the upload or copy was completed.")


def _plain(name: str) -> str:
    """Name without the parts ``.`` and nothing, which some zip programs put in and which mean nothing."""
    return "/".join(part for part in name.split("/") if part not in {"", "."}) if "//" in name or "." in name.split("/") else name
