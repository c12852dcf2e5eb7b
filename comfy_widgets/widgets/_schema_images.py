"""The messages about images: looking at them, marking, comparing and keeping them; a part of `_schema`."""

from __future__ import annotations

from typing import Literal, TypedDict


class Detail(TypedDict):
    """A value that a run was started with."""

    label: str
    value: str
    group: str


class Marks(TypedDict):
    """The trait `_marks`: which images are selected and which starred, each as the number of its run and its index."""

    selected: list[tuple[int, int]]
    starred: list[tuple[int, int]]


class FilmState(TypedDict):
    """The trait `_film`: the run whose previews are kept, and how many images its film has; 0 for none."""

    run: int
    frames: int


class FilmFrames(TypedDict):
    """Some images of a film from `start` on, each with its type; each has a buffer of its own."""

    kind: Literal["film"]
    run: int
    start: int
    total: int
    mimes: list[str]


class FilmFile(TypedDict):
    """A film as one animated file, which is the message's buffer; or why there is none."""

    kind: Literal["film_file"]
    run: int
    name: str
    mime: str
    error: str


class InputImage(TypedDict):
    """The image that a field names, without its alpha, and its mask in grey, empty where it has none.

    `error` says why it cannot be had; the buffers are the image and the mask.
    """

    kind: Literal["input_image"]
    field: str
    value: str
    mime: str
    error: str


class Offer(TypedDict):
    """What a dropped file has: how many of its values differ from the form's, and some of them in words.

    `left` says in words what of it has no field here, or does not fit; `error` why it has no values.
    """

    kind: Literal["offer"]
    page: str
    lines: list[str]
    left: list[str]
    count: int
    error: str


class Story(TypedDict):
    """How an image came about; the buffers are its workflow as a drawing in SVG and as JSON, empty where unknown.

    `usable` says whether there is a form that takes the values of its run.
    """

    kind: Literal["story"]
    run: int
    index: int
    items: list[Detail]
    usable: bool


class Differences(TypedDict):
    """What differs between the workflows of two images, in words; `unknown` says why that cannot be told."""

    kind: Literal["differences"]
    a: tuple[int, int]
    b: tuple[int, int]
    lines: list[str]
    unknown: str


class WantInput(TypedDict):
    """The image that a field names is wanted at its full size."""

    kind: Literal["input_image"]
    field: str


class Mask(TypedDict):
    """A part of a mask, white on black as PNG, for the image that a field names; its edges are made soft."""

    kind: Literal["mask"]
    page: str
    field: str
    value: str
    feather: float
    part: int
    parts: int


class Dropped(TypedDict):
    """A part of a file that was dropped, and may carry values."""

    kind: Literal["dropped"]
    page: str
    part: int
    parts: int


class UseOffer(TypedDict):
    """The values of the dropped file are wanted in the form."""

    kind: Literal["use_offer"]
    page: str


class Select(TypedDict):
    """These images of a run are selected, in place of any before."""

    kind: Literal["select"]
    run: int
    images: list[int]


class Star(TypedDict):
    """These images of a run are starred, in place of any before."""

    kind: Literal["star"]
    run: int
    images: list[int]


class UseImage(TypedDict):
    """An image of a run is wanted as the input that a field names."""

    kind: Literal["use_image"]
    run: int
    index: int
    field: str


class WantStory(TypedDict):
    """It is wanted how an image came about."""

    kind: Literal["story"]
    run: int
    index: int


class WantDifferences(TypedDict):
    """It is wanted what differs between the workflows of two images."""

    kind: Literal["differences"]
    a: tuple[int, int]
    b: tuple[int, int]


class WantFilm(TypedDict):
    """The film of a run is wanted."""

    kind: Literal["film"]
    run: int


class SaveFilm(TypedDict):
    """The film of a run is wanted as one animated file, with so many images a second."""

    kind: Literal["save_film"]
    run: int
    form: Literal["gif", "webp"]
    fps: float


class Original(TypedDict):
    """An image at its full size; its bytes are the message's buffer."""

    kind: Literal["original"]
    run: int
    index: int
    mime: str
    name: str
    caption: str


class WantOriginal(TypedDict):
    """The original of an image is wanted."""

    kind: Literal["original"]
    run: int
    index: int
