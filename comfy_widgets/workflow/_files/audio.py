"""FLAC, Ogg (Vorbis, Opus) and MP3: the texts are comments."""

from __future__ import annotations

from .reader import MAX_TEXT, Broken, Reader, decode


def flac_texts(reader: Reader) -> dict[str, str]:
    """Return the Vorbis comments of a FLAC file."""
    offset, last = 4, False
    while not last:
        reader.step()
        header = reader.at(offset, 4)
        last, kind, length = bool(header[0] & 0x80), header[0] & 0x7F, int.from_bytes(header[1:], "big")
        if kind == 4:
            return _comments(reader.at(offset + 4, length))
        offset += 4 + length
    return {}


def ogg_texts(reader: Reader) -> dict[str, str]:
    """Return the comments of an Ogg file's first stream; they are its second packet."""
    packets, packet, offset = 0, bytearray(), 0
    serial = reader.at(14, 4)
    while packets < 2:
        reader.step()
        header = reader.at(offset, 27)
        if header[:4] != b"OggS":
            raise Broken("there is no page where one should be")
        sizes = reader.at(offset + 27, header[26])
        offset += 27 + len(sizes)
        for size in sizes:
            if header[14:18] == serial and packets < 2:
                packet += reader.at(offset, size)
                if len(packet) > MAX_TEXT:
                    raise Broken("its comments are too long")
                if size < 255:
                    packets += 1
                    if packets < 2:
                        packet.clear()
            offset += size
    for mark in (b"\x03vorbis", b"OpusTags"):
        if packet.startswith(mark):
            return _comments(bytes(packet[len(mark) :]))
    return {}


def _comments(data: bytes) -> dict[str, str]:
    texts: dict[str, str] = {}
    at = 4 + int.from_bytes(data[:4], "little")
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    for _ in range(count):
        if at + 4 > len(data):
            break
        length = int.from_bytes(data[at : at + 4], "little")
        key, _, text = data[at + 4 : at + 4 + length].partition(b"=")
        texts.setdefault(decode(key).lower(), decode(text))
        at += 4 + length
    return texts


def mp3_texts(reader: Reader) -> dict[str, str]:
    """Return the user-defined texts (TXXX) and the comment of an ID3v2 tag."""
    header = reader.at(0, 10)
    version, flags = header[3], header[5]
    tag = reader.text(10, _synchsafe(header[6:10]))
    if flags & 0x80 and version < 4:
        tag = tag.replace(b"\xff\0", b"\xff")
    at = 0
    if flags & 0x40:
        at = _synchsafe(tag[:4]) if version == 4 else 4 + int.from_bytes(tag[:4], "big")
    name_size, size_size, head = (3, 3, 6) if version == 2 else (4, 4, 10)
    texts: dict[str, str] = {}
    while at + head <= len(tag) and tag[at] != 0:
        reader.step()
        name = tag[at : at + name_size]
        raw = tag[at + name_size : at + name_size + size_size]
        size = _synchsafe(raw) if version == 4 else int.from_bytes(raw, "big")
        if name in (b"TXXX", b"TXX"):
            body = tag[at + head : at + head + size]
            key, text = _user_text(body)
            texts.setdefault(key.lower(), text)
        at += head + size
    return texts


def _synchsafe(data: bytes) -> int:
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
    return value


def _user_text(body: bytes) -> tuple[str, str]:
    encoding, rest = body[:1], body[1:]
    if encoding in (b"\1", b"\2"):
        codec = "utf-16" if encoding == b"\1" else "utf-16-be"
        cut = next((i for i in range(0, len(rest) - 1, 2) if rest[i : i + 2] == b"\0\0"), len(rest))
        key, text = rest[:cut], rest[cut + 2 :]
        return key.decode(codec, "replace"), text.decode(codec, "replace").strip("\0")
    key, _, text = rest.partition(b"\0")
    if encoding == b"\3":
        return key.decode("utf-8", "replace"), text.decode("utf-8", "replace").strip("\0")
    return decode(key), decode(text).strip("\0")
