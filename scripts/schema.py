"""Write ``schema.ts`` and ``teaching.ts`` in ``js/src/lib`` from the schemas of the widgets and of the lessons."""

from __future__ import annotations

import inspect
import textwrap
import types
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

LIB = Path(__file__).resolve().parent.parent / "js" / "src" / "lib"
TARGETS = {"widgets": LIB / "schema.ts", "teaching": LIB / "teaching.ts"}
"""The file that is written for each room."""
HEAD = """/**
 * The messages between Python and the browser.
 *
 * Generated from `comfy_widgets/{room}/_schema.py` by `python -m scripts.schema`; change it there.
 */
"""
LINE = 110
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "unknown"}


def typescript(module: types.ModuleType, room: str = "widgets") -> str:
    """Return the TypeScript types of all that a schema module defines."""
    aliases = {name: value for name, value in vars(module).items() if get_origin(value) in (Union, Literal)}
    dicts = {name: value for name, value in vars(module).items() if is_typeddict(value)}
    parts = [HEAD.format(room=room)]
    parts += [_alias(name, value, {}) for name, value in aliases.items() if get_origin(value) is Literal]
    known = {value: name for name, value in aliases.items()}
    unions = {name: value for name, value in aliases.items() if get_origin(value) is Union}
    parts += [_alias(name, value, {}) for name, value in unions.items() if not _of_dicts(value)]
    for name, value in dicts.items():
        fields = "".join(f"  {key}: {_type(hint, known)};\n" for key, hint in get_type_hints(value).items())
        parts.append(f"{_comment(value)}export interface {name} {{\n{fields}}}\n")
    parts += [_alias(name, value, {}) for name, value in unions.items() if _of_dicts(value)]
    return "\n".join(parts)


def _of_dicts(value: Any) -> bool:
    return get_origin(value) is Union and all(is_typeddict(member) for member in get_args(value))


def _alias(name: str, value: Any, known: dict[Any, str]) -> str:
    line = f"export type {name} = {_type(value, known)};\n"
    if len(line) <= LINE:
        return line
    members = "".join(f"\n  | {_type(member, known)}" for member in _members(value))
    return f"export type {name} ={members};\n"


def _members(value: Any) -> list[Any]:
    members = get_args(value)
    return [Literal[member] for member in members] if get_origin(value) is Literal else list(members)


def _comment(value: Any) -> str:
    text = inspect.cleandoc(value.__doc__ or "")
    if len(text) <= LINE - 8 and "\n" not in text:
        return f"/** {text} */\n"
    wrapped = "\n\n".join(textwrap.fill(paragraph, LINE - 4) for paragraph in text.split("\n\n")).splitlines()
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in wrapped) + " */\n"


def _type(hint: Any, known: dict[Any, str]) -> str:
    if hint in known:
        return known[hint]
    if hint in PLAIN:
        return PLAIN[hint]
    if is_typeddict(hint):
        return str(hint.__name__)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in args)
    if origin in (Union, types.UnionType):
        nested = [known[of] for of in known if get_origin(of) is Union and set(get_args(of)) <= set(args)]
        if nested:
            rest = [arg for arg in args if not any(arg in get_args(of) for of in known)]
            return " | ".join([*nested, *(_type(arg, known) for arg in rest)])
        return " | ".join(dict.fromkeys(_type(arg, known) for arg in args))
    if origin is list:
        inner = _type(args[0], known)
        return f"({inner})[]" if " " in inner and not inner.startswith("[") else f"{inner}[]"
    if origin is dict:
        return f"Record<{_type(args[0], known)}, {_type(args[1], known)}>"
    if origin is tuple:
        return f"[{', '.join(_type(arg, known) for arg in args)}]"
    raise TypeError(f"{hint!r} has no TypeScript type yet; add it to scripts/schema.py.")


def current(room: str = "widgets") -> str:
    """Return what the file of a room should contain."""
    return typescript(import_module(f"comfy_widgets.{room}._schema"), room)


if __name__ == "__main__":
    for room, target in TARGETS.items():
        target.write_text(current(room), encoding="utf-8")
