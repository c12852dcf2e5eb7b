"""``make hosts``: run the main path in every host that is tried here, and write docs/hosts.md anew.

What is not tried says so; a test decides about the rest, and the table names the version and the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from . import environment
from .environment import PYTHON
from .shell import ROOT, call, output_of, quietly, step

PAGE = ROOT / "docs" / "hosts.md"
BEGIN, END = "<!-- written by make hosts: begin -->\n", "<!-- written by make hosts: end -->\n"


@dataclass(frozen=True)
class Host:
    """A place where notebooks are shown or run.

    Attributes
    ----------
    name : str
    what : str
        What works there, in words.
    package : str
        Whose version is told.
    tests : tuple of str
        Tests that show it; none where nobody has tried.
    instead : tuple of str
        Packages beside the locked ones, or in their place, in an environment of its own.
    node : tuple of str
        Packages of Node.js beside them.
    """

    name: str
    what: str
    package: str = ""
    tests: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    node: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Its environment, where it has one of its own."""
        return ROOT / ".matrix" / self.name.replace(" ", "-")

    @property
    def python(self) -> Path:
        """The Python that it is tried with."""
        return self.folder / "bin" / "python" if self.instead else PYTHON


_PANEL = "tests/browser/test_panel.py::test_"
HOSTS = (
    Host(
        "JupyterLab",
        "everything",
        "jupyterlab",
        (f"{_PANEL}the_first_notebook_from_run_to_pictures", f"{_PANEL}the_pictures_are_still_there_on_the_next_day"),
    ),
    Host(
        "JupyterLab 4.4",
        "everything",
        "jupyterlab",
        (f"{_PANEL}the_first_notebook_from_run_to_pictures", f"{_PANEL}the_pictures_are_still_there_on_the_next_day"),
        ("jupyterlab==4.4.*", "notebook==7.4.*"),
    ),
    Host("Notebook 7", "everything", "notebook", (f"{_PANEL}it_works_in_notebook_7",)),
    Host("Voila", "everything", "voila", ("tests/browser/test_hosts.py::test_it_works_in_voila",)),
    Host(
        "marimo",
        "everything; no record, as marimo runs cells anew",
        "marimo",
        ("tests/browser/test_hosts.py::test_it_works_in_marimo",),
    ),
    Host(
        "nbconvert, HTML",
        "the record: images, without a kernel and without a network",
        "nbconvert",
        ("tests/test_demo.py::test_the_first_notebook_leaves_images_and_a_page",),
    ),
    Host("nbclient", "runs notebooks from top to bottom", "nbclient", ("tests/test_notebooks.py",)),
    Host(
        "papermill",
        "runs notebooks with parameters; what it writes has the record with its images",
        "papermill",
        ("tests/browser/test_hosts.py::test_papermill_runs_a_notebook_that_keeps_its_images",),
        ("papermill",),
    ),
    Host(
        "JupyterHub behind a path prefix",
        "everything",
        "jupyterhub",
        ("tests/browser/test_hosts.py::test_it_works_in_jupyterhub_behind_a_prefix",),
        ("jupyterhub",),
        ("configurable-http-proxy",),
    ),
)
UNTRIED = (
    Host("VS Code", "expected: it shows anywidgets; colours are taken from its theme"),
    Host("Colab", "expected, with `google.colab.output.enable_custom_widget_manager()`"),
)


def try_all() -> list[tuple[Host, bool]]:
    """Run the tests of each host; return which passed."""
    chromium = environment.chromium()
    tried = []
    for host in HOSTS:
        with step(host.name):
            if host.instead:
                environment.make(host.python.parent.parent, PYTHON)
                environment.install_all(host.python)
                environment.pip("install", *host.instead, python=host.python)
            variables = {"CHROMIUM": chromium}
            if host.node:
                node = environment.find_node()
                quietly([*node.npm, "install", "--silent", "--prefix", host.folder, *host.node], env=node.env())
                # The only one so far, and what the test looks for.
                variables |= node.env()
                variables["CONFIGURABLE_HTTP_PROXY"] = str(host.folder / "node_modules" / ".bin" / host.node[0])
            words = ("-m", "pytest", "-q", "-p", "no:xdist", *host.tests)
            tried.append((host, call([host.python, *words], env=variables) == 0))
    return tried


def table(tried: list[tuple[Host, bool]]) -> str:
    """Return the table of a page, in Markdown."""
    # The tasks run in any Python; the hosts are in the environment's.
    day = f"{date.today():%Y-%m-%d}, {output_of([PYTHON, '--version'])}"
    lines = ["| where | version | what works | tried |", "| --- | --- | --- | --- |"]
    for host, passed in tried:
        lines.append(f"| {host.name} | {_version(host)} | {host.what if passed else '**fails**'} | {day} |")
    lines += [f"| {host.name} | | {host.what} | not tested |" for host in UNTRIED]
    return "\n".join(lines) + "\n"


def _version(host: Host) -> str:
    asked = f"import importlib.metadata; print(importlib.metadata.version({host.package!r}))"
    return output_of([host.python, "-c", asked]) or "unknown"


def main() -> int:
    """Try all hosts and write the page; return an exit code."""
    tried = try_all()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table(tried)}{END}{rest.partition(END)[2]}", encoding="utf-8")
    failed = [host.name for host, passed in tried if not passed]
    print(f"Fails in: {', '.join(failed)}" if failed else f"{len(tried)} hosts work; {PAGE.relative_to(ROOT)} says so.")
    return 1 if failed else 0
