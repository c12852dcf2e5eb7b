"""What a server lacks for a workflow: models and node packs, with what the file says of where to get them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._convert.replace import replace_classes
from ._prompt import Prompt, flow_order, is_link, is_model_file, unwrap
from ._specs import NodeSpecs

_CORE = "comfy-core"


@dataclass(frozen=True)
class ModelFile:
    """A model that a workflow needs.

    Attributes
    ----------
    name : str
        The file's name, as the workflow uses it.
    directory : str
        The folder under the server's ``models/``; empty where the file does not say.
    url : str
        Where it can be downloaded; empty where the file does not say.
    hash, hash_type : str
        To check the download, such as an SHA256; empty where the file does not say.

    Examples
    --------
    >>> str(ModelFile("ink.safetensors", "loras"))
    'ink.safetensors into models/loras'
    """

    name: str
    directory: str = ""
    url: str = ""
    hash: str = ""
    hash_type: str = ""

    def __str__(self) -> str:
        where = f" into models/{self.directory}" if self.directory else ""
        source = f" from {self.url}" if self.url else ""
        check = f" ({self.hash_type or 'hash'} {self.hash})" if self.hash else ""
        return f"{self.name}{where}{source}{check}"


@dataclass(frozen=True)
class NodePack:
    """A pack of nodes that a workflow needs.

    Attributes
    ----------
    id : str
        Its id in the Comfy registry, or ``owner/repository`` on GitHub; empty where the file does not say.
    version : str
        The version with which the workflow was made; empty where the file does not say.
    classes : tuple of str
        The node classes that the workflow uses.

    Examples
    --------
    >>> str(NodePack("comfyui-kjnodes", classes=("SetNode",)))
    'the pack comfyui-kjnodes: SetNode'
    """

    id: str
    version: str = ""
    classes: tuple[str, ...] = ()

    @property
    def is_core(self) -> bool:
        """Whether the classes are ComfyUI's own: then the server is too old for them.

        Examples
        --------
        >>> NodePack("comfy-core").is_core
        True
        """
        return self.id == _CORE

    def __str__(self) -> str:
        classes = ", ".join(self.classes)
        if self.is_core:
            newer = f" (the workflow was made with {self.version})" if self.version else ""
            return f"a newer ComfyUI{newer}: {classes}"
        return f"the pack {self.id}: {classes}" if self.id else f"a pack that has {classes}"


@dataclass(frozen=True)
class Missing:
    """What a server lacks for a workflow. It is false if nothing is missing; as text it is one list to copy.

    Attributes
    ----------
    models : tuple of ModelFile
    packs : tuple of NodePack

    Examples
    --------
    >>> missing = example().missing(client.object_info())
    >>> bool(missing), missing.models, missing.packs
    (False, (), ())
    """

    models: tuple[ModelFile, ...] = ()
    packs: tuple[NodePack, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.models or self.packs)

    def __str__(self) -> str:
        lines = []
        ids = [pack.id for pack in self.packs if pack.id and not pack.is_core]
        if ids:
            lines.append(f"comfy node install {' '.join(map(shlex.quote, ids))}")
        lines += [f"# needs {pack}" for pack in self.packs if pack.is_core or not pack.id]
        for model in self.models:
            if model.url and model.directory:
                folder = shlex.quote(f"models/{model.directory}")
                lines.append(f"comfy model download --url {shlex.quote(model.url)} --relative-path {folder}")
            else:
                lines.append(f"# needs {model}")
        return "\n".join(lines) or "Nothing is missing."


def find_missing(prompt: Prompt, specs: NodeSpecs, known: Mapping[str, ModelFile]) -> Missing:
    """Return what a server lacks for a prompt.

    Parameters
    ----------
    prompt : dict
        API format.
    specs : NodeSpecs
        The server's definitions.
    known : Mapping
        What the file says of its models, by name.
    """
    prompt = replace_classes(prompt, specs)
    models = {value: known_model(value, known) for value in missing_models(prompt, specs)}
    return Missing(tuple(models.values()), tuple(missing_packs(prompt, specs)))


def missing_models(prompt: Prompt, specs: NodeSpecs) -> Iterator[str]:
    """Yield the names of model files that the server does not offer."""
    for node_id in flow_order(prompt):
        spec = specs.get(prompt[node_id]["class_type"])
        for name, value in prompt[node_id]["inputs"].items():
            declared = spec.input(name) if spec is not None else None
            if declared is None or declared.choices is None or is_link(value) or declared.upload is not None:
                continue
            value = unwrap(value)
            if isinstance(value, str) and is_model_file(value) and value not in declared.choices:
                yield value


def missing_packs(prompt: Prompt, specs: NodeSpecs) -> list[NodePack]:
    """Return the packs of the classes that the server does not know; those of unknown origin one by one."""
    found: dict[tuple[str, str], NodePack] = {}
    for node_id in flow_order(prompt):
        node = prompt[node_id]
        class_type = node["class_type"]
        if class_type not in specs:
            pack = pack_of(node)
            key = (pack.id, "" if pack.id else class_type)
            before = found.get(key, pack)
            found[key] = NodePack(pack.id, before.version, tuple(dict.fromkeys((*before.classes, class_type))))
    return list(found.values())


def pack_of(node: Mapping[str, Any]) -> NodePack:
    """Return the pack that a node says it comes from."""
    meta = node.get("_meta")
    notes = meta if isinstance(meta, Mapping) else {}
    texts = [notes.get(key) for key in ("cnr_id", "aux_id", "ver")]
    registry, repository, version = (text if isinstance(text, str) else "" for text in texts)
    return NodePack(registry or repository, version)


def known_model(name: str, known: Mapping[str, ModelFile]) -> ModelFile:
    """Return what is known of a model; of its name alone if nothing is."""
    base = name.replace("\\", "/").rpartition("/")[2]
    found = known.get(name) or known.get(base)
    return ModelFile(name) if found is None else ModelFile(name, *list(_facts(found)))


def _facts(model: ModelFile) -> tuple[str, str, str, str]:
    return model.directory, model.url, model.hash, model.hash_type


def models_of(ui: Mapping[str, Any]) -> dict[str, ModelFile]:
    """Return what an editor's form says of its models, by name: in its nodes, in subgraphs, or for the whole file."""
    found: dict[str, ModelFile] = {}
    scopes = [ui]
    for scope in scopes:
        held = scope.get("definitions")
        inner = held.get("subgraphs") if isinstance(held, Mapping) else None
        scopes += [item for item in inner if isinstance(item, Mapping)] if isinstance(inner, list) else []
        listed = list(_mappings(scope.get("models")))
        for node in _mappings(scope.get("nodes")):
            properties = node.get("properties")
            listed += _mappings(properties.get("models")) if isinstance(properties, Mapping) else ()
        for raw in listed:
            texts = {key: raw[key] for key in ("name", "directory", "url", "hash", "hash_type") if _is_text(raw, key)}
            if texts.get("name"):
                found.setdefault(texts["name"], ModelFile(**texts))
    return found


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()


def _is_text(raw: Mapping[str, Any], key: str) -> bool:
    return isinstance(raw.get(key), str)
