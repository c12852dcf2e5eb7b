"""How the documentation is built: ``make docs``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from sphinx.util import logging  # noqa: E402

import comfy_widgets  # noqa: E402
from docs import questions, words  # noqa: E402

project = "comfy_widgets"
author = "The comfy_widgets contributors"
copyright = author
version = release = comfy_widgets.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = [
    "mystnb.unknown_mime_type",  # a live widget has no picture here; its record stands beside it
    "ref.python",  # words for types, such as "path", are no references, but look like attributes of that name
]

# The notebooks run on the embedded engine; those of a machine's own ComfyUI would not be the same everywhere.
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_typehints = "none"  # the docstrings say the types, in words
autodoc_member_order = "bysource"
autosummary_generate = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
default_role = "code"

html_theme = "furo"
html_title = "comfy_widgets"
html_static_path = ["_static"]
html_css_files = ["page.css"]
html_extra_path = ["llms.txt"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#8a4b0f", "color-brand-content": "#8a4b0f"},
    "dark_css_variables": {"color-brand-primary": "#f0a35e", "color-brand-content": "#f0a35e"},
}


def _gather() -> None:
    """Put what lives elsewhere in the repository where Sphinx finds it."""
    notebooks = HERE / "_notebooks"
    notebooks.mkdir(exist_ok=True)
    for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
        target = notebooks / notebook.name
        if not target.exists() or target.read_bytes() != notebook.read_bytes():
            shutil.copyfile(notebook, target)
    (HERE / "_vocabulary.md").write_text(words.page(), encoding="utf-8")


_gather()


def _only_among_errors(app: Any, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    """Describe each exception once, on the page of errors."""
    is_error = isinstance(obj, type) and issubclass(obj, comfy_widgets.ComfyError)
    return True if is_error and not app.env.docname.endswith("/errors") else None


def _can_be_found(app: Any, error: Exception | None) -> None:
    """Warn of what a stranger would search for in vain."""
    if error is None and app.builder.name == "html":
        for sentence in questions.lost(Path(app.outdir) / "searchindex.js"):
            logging.getLogger(__name__).warning(sentence)


def setup(app: Any) -> None:
    """Tell Sphinx what is ours."""
    app.connect("build-finished", _can_be_found)
    app.connect("autodoc-skip-member", _only_among_errors)
