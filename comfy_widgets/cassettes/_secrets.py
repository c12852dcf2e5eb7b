"""What must not be in a file that is handed to a class: credentials, tokens, cookies, and names of folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"

_LEFT_OUT = frozenset(
    ("client_id", "prompt_id", "extra_data", "extra_pnginfo", "api_key_comfy_org", "auth_token_comfy_org", "traceback")
)
_SECRET_NAME = re.compile(
    r"(?:^|[_-])(?:api[_-]?key|access[_-]?key|token|secret|password|passwd|pwd|credentials?|authorization|cookie)s?"
    r"(?:$|[_-])",
    re.IGNORECASE,
)
_ASSIGNED = (
    r"(?:(?:access|auth|api|refresh|session|client)[_-]?)?(?:token|secret|password|passwd|pwd|signature)"
    r"|(?:api|access|secret)[_-]?key|sig"
)
_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    # user:password@ of a URL
    (re.compile(r"\b([a-z][a-z0-9+.-]{0,20}://)[^/\s@'\"]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # a whole header of credentials
    (
        re.compile(r"\b((?:set-)?cookie|(?:proxy-)?authorization|x-api-key)(['\"]?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # token=..., "password": "..."
    (re.compile(rf"\b({_ASSIGNED})(['\"]?\s*[=:]\s*['\"]?)[^\s&;,'\"}}\])]{{4,}}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    # what tokens of well-known services look like
    (
        re.compile(
            r"\b(?:(?:sk|pk|rk)[-_][\w-]{16,}|hf_\w{20,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abeoprs]-[\w-]{10,}"
            r"|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,4096}\.[\w-]{8,4096}\.[\w-]{4,}|comfyui-[0-9a-f]{32,}|r8_\w{30,})"
        ),
        HIDDEN,
    ),
    # a path in quotes, which may have spaces in it: its last part is kept
    (re.compile(r"(['\"])(?:file:/|~?/|[A-Za-z]:[\\/]|\\\\)[^'\"\n]{0,1000}[\\/]([^'\"\n\\/]*)\1"), r"\1\2\1"),
    (re.compile(r"file://[^\s'\"]*/"), ""),
    (re.compile(r"(?<![\w.:/\\~-])~?/(?:[\w.@+-]+/)+"), ""),
    (re.compile(r"\b[A-Za-z]:[\\/](?:[^\\/:*?\"<>|\r\n]+[\\/])+"), ""),
    (re.compile(r"\\\\[\w.-]+\\(?:[^\\\s]+\\)*"), ""),
)
_WHOLE_PATH = re.compile(r"(?:file:/|~?/|[A-Za-z]:[\\/]|\\\\)[^\n]{1,1000}")


def scrubbed(value: Any, secrets: tuple[str, ...] = ()) -> Any:
    """Return a JSON value without secrets: its texts without credentials, tokens and folders, for all who read it.

    Parameters
    ----------
    value : object
        JSON: dicts, lists, texts, numbers.
    secrets : tuple of str, default ()
        Known secrets, as those of the client that recorded; they are removed wherever they stand.

    Returns
    -------
    object
        The same shape. Fields that only ever hold secrets are left out.

    Examples
    --------
    >>> scrubbed({"api_key": "sk-1", "image": "/home/anna/boat.png", "text": "see https://me:pw@host/x"})
    {'api_key': '***', 'image': 'boat.png', 'text': 'see https://***@host/x'}
    """
    if isinstance(value, Mapping):
        return {
            _text(str(key), secrets): HIDDEN
            if isinstance(inner, str) and inner and _SECRET_NAME.search(str(key))
            else scrubbed(inner, secrets)
            for key, inner in value.items()
            if key not in _LEFT_OUT
        }
    if isinstance(value, (list, tuple)):
        return [scrubbed(inner, secrets) for inner in value]
    return _text(value, secrets) if isinstance(value, str) else value


def _text(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    if _WHOLE_PATH.fullmatch(text):
        return re.split(r"[\\/]", text.rstrip("\\/"))[-1]
    for pattern, replacement in _TEXTS:
        text = pattern.sub(replacement, text)
    return text


def has_secret(content: bytes, secrets: tuple[str, ...]) -> bool:
    """Return whether a file that is kept as it is holds a known secret, or what looks like one."""
    if any(secret.encode() in content for secret in secrets):
        return True
    text = content.decode("latin-1")
    return any(pattern.search(text) for pattern, _ in _TEXTS[:5])
