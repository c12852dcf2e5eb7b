"""The messages between Python and the browser, as plain JSON: the one description of both halves.

``js/src/lib/schema.ts`` is generated from this module by ``python -m scripts.schema``, and a test compares the two.
Traits (`FormSpec`, `Values`, `RunState`) are written by Python alone and replaced whole; what a person does comes back
as a message of the union `FromBrowser`. Whole numbers travel as decimal text: seeds reach 2**64-1, and a JavaScript
number would round them.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict, Union

from ._schema_fleet import FleetAct as FleetAct
from ._schema_fleet import FleetRow as FleetRow
from ._schema_fleet import FleetState as FleetState
from ._schema_fleet import ServerStatus as ServerStatus
from ._schema_images import Detail as Detail
from ._schema_images import Differences as Differences
from ._schema_images import Dropped as Dropped
from ._schema_images import FilmFile as FilmFile
from ._schema_images import FilmFrames as FilmFrames
from ._schema_images import FilmState as FilmState
from ._schema_images import InputImage as InputImage
from ._schema_images import Marks as Marks
from ._schema_images import Mask as Mask
from ._schema_images import Offer as Offer
from ._schema_images import Original as Original
from ._schema_images import SaveFilm as SaveFilm
from ._schema_images import Select as Select
from ._schema_images import Star as Star
from ._schema_images import Story as Story
from ._schema_images import UseImage as UseImage
from ._schema_images import UseOffer as UseOffer
from ._schema_images import WantDifferences as WantDifferences
from ._schema_images import WantFilm as WantFilm
from ._schema_images import WantInput as WantInput
from ._schema_images import WantOriginal as WantOriginal
from ._schema_images import WantStory as WantStory
from ._schema_nodes import Graph as Graph
from ._schema_nodes import GraphNode as GraphNode
from ._schema_nodes import GraphWire as GraphWire
from ._schema_nodes import NodeRow as NodeRow
from ._schema_nodes import Nodes as Nodes
from ._schema_nodes import NodeStatus as NodeStatus
from ._schema_nodes import SelectNode as SelectNode
from ._schema_nodes import WantGraph as WantGraph
from ._schema_nodes import WantNodes as WantNodes
from ._schema_runs import ForgetRun as ForgetRun
from ._schema_runs import HistoryPage as HistoryPage
from ._schema_runs import HistoryRow as HistoryRow
from ._schema_runs import HistoryState as HistoryState
from ._schema_runs import Phase as Phase
from ._schema_runs import RunDetails as RunDetails
from ._schema_runs import RunList as RunList
from ._schema_runs import RunNext as RunNext
from ._schema_runs import RunRow as RunRow
from ._schema_runs import RunThumbnail as RunThumbnail
from ._schema_runs import ShowRun as ShowRun
from ._schema_runs import UseRun as UseRun
from ._schema_runs import WantDetails as WantDetails
from ._schema_runs import WantHistory as WantHistory
from ._schema_runs import WantRuns as WantRuns
from ._schema_sweep import CellOriginal as CellOriginal
from ._schema_sweep import CellPreview as CellPreview
from ._schema_sweep import CellScores as CellScores
from ._schema_sweep import CellStatus as CellStatus
from ._schema_sweep import FromSweep as FromSweep
from ._schema_sweep import GridAxes as GridAxes
from ._schema_sweep import PairChosen as PairChosen
from ._schema_sweep import PairShown as PairShown
from ._schema_sweep import RateCells as RateCells
from ._schema_sweep import SelectCells as SelectCells
from ._schema_sweep import SweepAct as SweepAct
from ._schema_sweep import SweepAxis as SweepAxis
from ._schema_sweep import SweepCells as SweepCells
from ._schema_sweep import SweepState as SweepState
from ._schema_sweep import SweepStatus as SweepStatus
from ._schema_sweep import SweepThumbnails as SweepThumbnails
from ._schema_sweep import WantCellOriginal as WantCellOriginal

Json = dict[str, Any]
"""A JSON object whose fields nothing more is known of."""

Kind = Literal["int", "float", "text", "string", "choice", "many", "color", "bool", "seed", "image", "json"]
Wire = Union[str, float, bool, None]  # noqa: UP007 - read at run time, also by Python 3.10
SeedMode = Literal["fixed", "increment", "decrement", "randomize"]


class Field(TypedDict):
    """One field of the form; `accept` says what may be uploaded, `words` what a switch says when it is on and off.

    A `locked` field is shown, and cannot be changed.
    """

    name: str
    label: str
    kind: Kind
    group: str
    primary: bool
    tooltip: str
    min: str | float | None
    max: str | float | None
    step: str | float | None
    slider: bool
    choices: list[Wire] | None
    accept: str
    words: tuple[str, str] | None
    locked: bool


class Server(TypedDict):
    """The server that the form belongs to."""

    text: str
    embedded: bool
    ok: bool


class FormSpec(TypedDict):
    """The trait `_form`."""

    title: str
    server: Server
    fields: list[Field]


class Frame(TypedDict):
    """The images that a run makes, to keep their place free: the size of one in pixels, and how many."""

    width: int
    height: int
    count: int


class Values(TypedDict):
    """The trait `_values`.

    `errors` says why Python did not take a value, `modes` what becomes of each seed from run to run, where that may be
    chosen, and `acks` the last edit of each browser page that the values include. `hints` has the nearest choice for a
    value that is none, `warnings` is about the user's own observers.
    """

    values: dict[str, Wire]
    errors: dict[str, str]
    hints: dict[str, str]
    modes: dict[str, SeedMode]
    frame: Frame
    warnings: list[str]
    acks: dict[str, int]


class RunError(TypedDict):
    """What went wrong; `fields` says what is wrong with which field, by its name."""

    title: str
    message: str
    details: str
    fields: dict[str, str]


class RunState(TypedDict):
    """The trait `_run`: the run that a widget shows.

    `run` counts the runs of the widget; messages about images carry it. `left` is the time left and `pace` the steps in
    a second, both in words; `queue` is the number of prompts that run before. `texts` is what the
    workflow gave besides images, `summary` one line about the end. `connected` is false while nothing is heard of the
    server, `chosen` true while somebody looks at an earlier run.
    """

    run: int
    phase: Phase
    fraction: float
    node: str | None
    step: int | None
    steps: int | None
    left: str
    pace: str
    queue: int | None
    error: RunError | None
    warnings: list[str]
    texts: list[str]
    summary: str
    frame: Frame
    connected: bool
    chosen: bool


class Code(TypedDict):
    """Modules of the front end, as buffers in the order of `files`; a file comes after all that it imports."""

    kind: Literal["code"]
    files: list[str]


class Welcome(TypedDict):
    """Python has heard the browser's `Hello`."""

    kind: Literal["welcome"]


class PreviewFrame(TypedDict):
    """The newest preview; its bytes are the message's buffer."""

    kind: Literal["preview"]
    run: int
    seq: int
    mime: str


class ImageItem(TypedDict):
    """One image, video or audio of a run; `whole` is false for a smaller stand-in of an image.

    `label` stands under it for all to see; where it has none, `caption` is told to whoever points at it.
    """

    index: int
    mime: str
    name: str
    caption: str
    label: str
    whole: bool


class Images(TypedDict):
    """Some of the images of a run; each has a buffer of its own, in the same order.

    An empty buffer stands for an image that is sent when it is asked for.
    """

    kind: Literal["images"]
    run: int
    total: int
    items: list[ImageItem]


class Lists(TypedDict):
    """What is new in the server's lists, in words."""

    kind: Literal["lists"]
    text: str


class Thumbnail(TypedDict):
    """A small version of the image that a field names."""

    kind: Literal["thumbnail"]
    field: str
    value: str
    mime: str


class Pictures(TypedDict):
    """Images of a widget that teaches, by name; each is a buffer."""

    kind: Literal["pictures"]
    names: list[str]
    mime: str


ToBrowser = Union[  # noqa: UP007
    Code,
    Welcome,
    PreviewFrame,
    Images,
    Original,
    RunThumbnail,
    RunDetails,
    HistoryPage,
    Story,
    Differences,
    FilmFrames,
    FilmFile,
    InputImage,
    Offer,
    Thumbnail,
    Lists,
    Pictures,
    SweepCells,
    SweepThumbnails,
    CellPreview,
    CellOriginal,
    Graph,
]


class WantCode(TypedDict):
    """A part of the front end is wanted."""

    kind: Literal["code"]
    part: str


class Hello(TypedDict):
    """A page was loaded, and has missed what was sent before."""

    kind: Literal["hello"]


class Edit(TypedDict):
    """Values were edited, or modes chosen: `page` is a random name for the browser page, `n` counts its edits."""

    kind: Literal["edit"]
    page: str
    n: int
    values: dict[str, Wire]
    modes: dict[str, SeedMode]


class RunRequest(TypedDict):
    """Run was pressed, for `count` runs; the edits that were not sent yet come with it."""

    kind: Literal["run"]
    edit: Edit | None
    count: int


class Cancel(TypedDict):
    """Cancel was pressed, for one run, or null for the one that is shown; once more, it is waited for no longer."""

    kind: Literal["cancel"]
    run: int | None


class WantImages(TypedDict):
    """Somebody has scrolled to images whose buffers were empty."""

    kind: Literal["images"]
    run: int
    indices: list[int]


class Upload(TypedDict):
    """A part of a file; its bytes are the message's buffer."""

    kind: Literal["upload"]
    page: str
    n: int
    field: str
    name: str
    part: int
    parts: int


class WantThumbnail(TypedDict):
    """A small version of the image that a field names is wanted."""

    kind: Literal["thumbnail"]
    field: str


class WantLists(TypedDict):
    """The server's lists of models and other choices are wanted anew."""

    kind: Literal["lists"]


class Changed(TypedDict):
    """Somebody has changed a widget that teaches: a slider, a curve, an answer."""

    kind: Literal["changed"]
    name: str
    value: Any


FromBrowser = Union[  # noqa: UP007
    WantCode,
    Hello,
    Edit,
    RunRequest,
    Cancel,
    RunNext,
    ShowRun,
    UseRun,
    WantDetails,
    WantRuns,
    WantHistory,
    ForgetRun,
    WantNodes,
    WantGraph,
    SelectNode,
    Select,
    Star,
    UseImage,
    WantStory,
    WantDifferences,
    WantFilm,
    SaveFilm,
    WantInput,
    Mask,
    Dropped,
    UseOffer,
    Upload,
    WantImages,
    WantOriginal,
    WantThumbnail,
    WantLists,
    FleetAct,
    Changed,
    FromSweep,
]
