"""FLAC, Ogg (Vorbis, Opus) and MP3: the texts are comments."""

from __future__ import annotations

from functools import partial

from .reader import Broken, Reader, Texts, decode, decode_utf16

_MAX_KEY = 256


def flac_texts(reader: Reader) -> Texts:
    """Yield the Vorbis comments of a FLAC file."""
    offset, last = 4, False
    while not last:
        header = reader.at(offset, 4)
        last, kind, length = bool(header[0] & 0x80), header[0] & 0x7F, int.from_bytes(header[1:], "big")
        if kind == 4:
            yield from _comments(reader.at(offset + 4, length), reader)
            return
        offset += 4 + length


def ogg_texts(reader: Reader) -> Texts:
    """Yield the comments of an Ogg file's first stream; they are its second packet."""
    packets, packet, offset = 0, bytearray(), 0
    serial = reader.at(14, 4)
    while packets < 2:
        header = reader.at(offset, 27)
        if header[:4] != b"OggS":
            raise Broken("there is no page where one should be")
        sizes = reader.at(offset + 27, header[26])
        offset += 27 + len(sizes)
        if header[14:18] == serial:
            page, at = reader.at(offset, sum(sizes)), 0
            for size in sizes:
                packet += page[at : at + size]
                at += size
                if size < 255:
                    packets += 1
                    if packets == 2:
                        break
                    packet.clear()
        offset += sum(sizes)
    for mark in (b"\x03vorbis", b"OpusTags"):
        if packet.startswith(mark):
            yield from _comments(bytes(packet[len(mark) :]), reader)


def _comments(data: bytes, reader: Reader) -> Texts:
    at = 4 + int.from_bytes(data[:4], "little")
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    for _ in range(count):
        reader.step()
        if at + 4 > len(data):
            break
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        key, equals, _ = data[at + 4 : min(end, at + 4 + _MAX_KEY)].partition(b"=")
        yield decode(key).lower(), partial(_slice, data, at + 4 + len(key) + len(equals), end)
        at = end


def _slice(data: bytes, begin: int, end: int) -> str:
    return decode(data[begin:end])


def mp3_texts(reader: Reader) -> Texts:
    """Yield the user-defined texts (TXXX) of an ID3v2 tag."""
    header = reader.at(0, 10)
    version, flags = header[3], header[5]
    tag = reader.at(10, _synchsafe(header[6:10]))
    if flags & 0x80 and version < 4:
        tag = tag.replace(b"\xff\0", b"\xff")
    at = 0
    if flags & 0x40:
        at = _synchsafe(tag[:4]) if version == 4 else 4 + int.from_bytes(tag[:4], "big")
    name_size, size_size, head = (3, 3, 6) if version == 2 else (4, 4, 10)
    while at + head <= len(tag) and tag[at] != 0:
        reader.step()
        name = tag[at : at + name_size]
        raw = tag[at + name_size : at + name_size + size_size]
        size = _synchsafe(raw) if version == 4 else int.from_bytes(raw, "big")
        if name in (b"TXXX", b"TXX"):
            key, text = _user_text(tag[at + head : at + head + size], reader)
            yield key.lower(), partial(str, text)
        at += head + size


def _synchsafe(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
    return value


def _user_text(body: bytes, reader: Reader) -> tuple[str, str]:
    encoding, rest = body[:1], body[1:]
    if encoding in (b"\1", b"\2"):
        # Key and text have a byte order mark each.
        text = decode_utf16(rest, "utf-16" if encoding == b"\1" else "utf-16-be", reader)
    elif encoding == b"\3":
        text = rest.decode("utf-8", "replace")
    else:
        text = decode(rest)
    key, _, value = text.partition("\0")
    return key, value.strip("\0\ufeff")
