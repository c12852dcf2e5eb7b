"""What a server brings along: models in detail, official workflows, subgraphs, replaced nodes, translations."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from ..protocol import WorkflowError, requests
from ._calls import RouteGroup

_TEMPLATE = "template:"
_SUBGRAPHS = "subgraph/"


class LibraryRoutes(RouteGroup):
    """Routes about models, templates and what else comes with a server."""

    def node_replacements(self) -> dict[str, Any]:
        """``GET /node_replacements``: which node classes took the place of older ones.

        Returns
        -------
        dict
            ``{old class: [{"new_node_id", "old_node_id", "old_widget_ids", "input_mapping", "output_mapping"}]}``;
            empty where the server is too old to replace any.

        Examples
        --------
        >>> client.node_replacements().keys()                         # doctest: +SKIP
        """
        return self._calls.node_replacements()

    def view_metadata(self, folder: str, filename: str) -> dict[str, Any] | None:
        """``GET /view_metadata/{folder}``: the notes inside a .safetensors file.

        Parameters
        ----------
        folder : str
            A kind of model, such as "loras"; see `models`.
        filename : str
            With its subfolder, as `models` lists it.

        Returns
        -------
        dict or None
            None where there is no such file, or it has no notes.

        Examples
        --------
        >>> client.view_metadata("checkpoints", "none.safetensors") is None
        True
        """
        request = requests.get(f"/view_metadata/{requests.path_part(folder, 'folder')}", filename=filename)
        found = self._calls.json_or_none(request, f"Reading the notes in {filename}")
        return found if isinstance(found, dict) else None

    def experiment_models(self, folder: str | None = None) -> list[dict[str, Any]]:
        """``GET /experiment/models[/{folder}]``: models with sizes and dates, or the folders they are in.

        Parameters
        ----------
        folder : str, optional
            A kind of model, such as "checkpoints"; without it the kinds are listed.

        Returns
        -------
        list of dict
            For a folder ``name, pathIndex, modified, created, size``: times in seconds since 1970, the size in bytes.
            For none ``name, folders, extensions``. Empty where the server has no such folder.

        Examples
        --------
        >>> [model["name"] for model in client.experiment_models("checkpoints")]  # doctest: +SKIP
        ['model.safetensors']
        """
        route = "/experiment/models" if folder is None else f"/experiment/models/{requests.path_part(folder, 'folder')}"
        found = self._calls.json_or_none(requests.get(route), f"Listing models{f' of {folder}' if folder else ''}")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    def experiment_models_preview(self, folder: str, path_index: int, filename: str) -> bytes | None:
        """``GET /experiment/models/preview/{folder}/{path_index}/{filename}``: the image that stands for a model.

        Parameters
        ----------
        folder : str
            A kind of model.
        path_index : int
            The ``pathIndex`` of `experiment_models`.
        filename : str
            The model's name there.

        Returns
        -------
        bytes or None
            A WebP; None where the model has no image.

        Examples
        --------
        >>> client.experiment_models_preview("checkpoints", 0, "model.safetensors")  # doctest: +SKIP
        """
        route = f"/experiment/models/preview/{requests.path_part(folder, 'folder')}/{path_index}/{quote(filename)}"
        reply = self._calls.call(requests.get(route))
        if reply.status == 404:
            return None
        return self._calls.checked(reply, f"Fetching the image of {filename}").content

    def workflow_templates(self) -> dict[str, list[str]]:
        """``GET /workflow_templates``: the example workflows of each custom node pack, by name.

        Returns
        -------
        dict
            ``{pack: [name]}``; see `template_index` for ComfyUI's own.

        Examples
        --------
        >>> client.workflow_templates()
        {}
        """
        found = self._calls.json_object(requests.get("/workflow_templates"), "Listing the workflow templates")
        return {pack: [str(name) for name in names] for pack, names in found.items() if isinstance(names, list)}

    def template_index(self) -> list[dict[str, Any]]:
        """``GET /templates/index.json``: ComfyUI's official workflows, by category.

        Returns
        -------
        list of dict
            ``moduleName, title, templates``; each template has ``name, title, description`` and more. Empty where the
            server brings none.

        Examples
        --------
        >>> [category["title"] for category in client.template_index()]  # doctest: +SKIP
        """
        found = self._calls.json_or_none(requests.get("/templates/index.json"), "Listing the templates")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    def templates(self) -> dict[str, str]:
        """All workflows that the server offers, by the names they load by, with their titles.

        They are ComfyUI's official ones, the examples of node packs ("pack/name") and the subgraphs that are offered in
        every workflow ("subgraph/name").

        Returns
        -------
        dict
            ``{name: title}``. ``client.workflow(f"template:{name}")`` loads one.

        Examples
        --------
        >>> [name for name in client.templates() if "flux" in name]   # doctest: +SKIP
        """
        listed = (item for module in self.template_index() for item in module.get("templates") or ())
        official = {str(item["name"]): str(item.get("title") or "") for item in listed if item.get("name")}
        packs = {f"{pack}/{name}": name for pack, names in self.workflow_templates().items() for name in names}
        subgraphs = [str(item.get("name")) for item in self.global_subgraphs().values()]
        return {**official, **packs, **{f"{_SUBGRAPHS}{name}": name for name in subgraphs}}

    def fetch(self, source: str) -> bytes:
        """The content of a template of this server, for ``Workflow.load("template:flux_dev", fetch=client.fetch)``.

        Parameters
        ----------
        source : str
            "template:" and a name of `templates`.

        Returns
        -------
        bytes
            A workflow as JSON text.

        Raises
        ------
        WorkflowError
            The server has no such template, or the source is none.

        Examples
        --------
        >>> Workflow.load("template:default", fetch=client.fetch)  # doctest: +SKIP
        """
        if not source.startswith(_TEMPLATE):
            raise WorkflowError(f"A client fetches templates of its server only, not {source[:100]!r}.")
        return json.dumps(self.template(source.removeprefix(_TEMPLATE))).encode()

    def template(self, name: str) -> dict[str, Any]:
        """``GET /templates/{name}.json``: one of ComfyUI's official workflows, in the editor's format.

        Parameters
        ----------
        name : str
            A name of `templates`: that of `template_index`, "pack/name" of `workflow_templates`, or "subgraph/name"
            of `global_subgraphs`.

        Returns
        -------
        dict
            What `Workflow.load` takes.

        Raises
        ------
        WorkflowError
            The server has no such template.

        Examples
        --------
        >>> Workflow.load(client.template("default"))                 # doctest: +SKIP
        """
        if name.startswith(_SUBGRAPHS) and (subgraph := self._subgraph_called(name.removeprefix(_SUBGRAPHS))):
            return subgraph
        pack, slash, inner = name.rpartition("/")
        # The templates of packs are served below /api, ComfyUI's own are not.
        route = (
            f"/workflow_templates/{requests.path_part(pack, 'pack')}/{quote(inner)}.json"
            if slash
            else f"/templates/{quote(name)}.json"
        )
        found = self._calls.json_or_none(requests.get(route), f"Reading the template {name}")
        if not isinstance(found, dict):
            raise WorkflowError(f"The server has no template {name!r}. client.templates() lists what it has.")
        return found

    def _subgraph_called(self, name: str) -> dict[str, Any] | None:
        found = next((key for key, item in self.global_subgraphs().items() if name in (key, item.get("name"))), None)
        content = (self.global_subgraph(found) or {}).get("data") if found is not None else None
        try:
            data = json.loads(content) if isinstance(content, str) else content
        except ValueError:
            return None
        return data if isinstance(data, dict) else None

    def global_subgraphs(self) -> dict[str, dict[str, Any]]:
        """``GET /global_subgraphs``: the subgraphs that the server offers in every workflow.

        Returns
        -------
        dict
            ``{id: {"source", "name", "info"}}``; empty where the server is too old to have any.

        Examples
        --------
        >>> client.global_subgraphs()
        {}
        """
        found = self._calls.json_or_none(requests.get("/global_subgraphs"), "Listing the subgraphs")
        return {key: item for key, item in found.items() if isinstance(item, dict)} if isinstance(found, dict) else {}

    def global_subgraph(self, id: str) -> dict[str, Any] | None:
        """``GET /global_subgraphs/{id}``: one of them with its content.

        Parameters
        ----------
        id : str
            A key of `global_subgraphs`.

        Returns
        -------
        dict or None
            ``source, name, info, data``, the last as JSON text; None where there is none of this id.

        Examples
        --------
        >>> client.global_subgraph("none") is None
        True
        """
        route = f"/global_subgraphs/{requests.path_part(id, 'id')}"
        found = self._calls.json_or_none(requests.get(route), "Reading a subgraph")
        return found if isinstance(found, dict) else None

    def i18n(self) -> dict[str, Any]:
        """``GET /i18n``: the translations that node packs bring, by language.

        Returns
        -------
        dict
            ``{language: {...}}``; empty where no pack brings any.

        Examples
        --------
        >>> client.i18n()
        {}
        """
        return self._calls.json_object(requests.get("/i18n"), "Reading the translations")
