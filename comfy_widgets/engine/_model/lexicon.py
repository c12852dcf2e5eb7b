"""The words that the model knows."""

from __future__ import annotations


def _index(groups: dict[str, str]) -> dict[str, str]:
    """Turn {name: "its words"} into {word: name}."""
    return {word: name for name, words in groups.items() for word in words.split()}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLOUR_OF = _index(
    {
        "red": "red scarlet crimson ruby",
        "orange": "orange amber copper tangerine autumn",
        "yellow": "yellow gold golden lemon sunny",
        "green": "green emerald lime olive",
        "teal": "teal turquoise cyan mint",
        "blue": "blue azure navy indigo sapphire",
        "purple": "purple violet lilac lavender magenta",
        "pink": "pink rosy cherry",
        "white": "white ivory pale",
        "brown": "brown wooden chestnut beige",
        "black": "black ebony",
    }
)
NOUN_OF: dict[str, dict[str, str]] = {
    "figure": _index(
        {
            "castle": "castle fortress palace tower",
            "windmill": "windmill mill",
            "lighthouse": "lighthouse beacon",
            "house": "house cottage cabin home hut barn village",
            "pine": "pine fir conifer spruce forest wood",
            "tree": "tree oak maple blossom orchard bush",
            "boat": "boat sailboat ship sail yacht sailing",
            "birds": "bird seagull gull swallow crow",
            "balloon": "balloon airship",
            "rocket": "rocket spaceship spacecraft",
            "flower": "flower tulip rose daisy poppy bloom wildflower",
            "mushroom": "mushroom toadstool fungus",
            "cat": "cat kitten kitty feline",
            "bottle": "bottle flask jar vial",
        }
    ),
    "mood": _index(
        {
            "day": "day daylight noon midday daytime bright",
            "morning": "morning dawn sunrise daybreak spring",
            "sunset": "sunset evening sundown dramatic",
            "dusk": "dusk twilight gloaming",
            "night": "night midnight moonlight moonlit moon nighttime starry stars star dark",
            "galaxy": "galaxy nebula space cosmos cosmic milky universe aurora magic magical fantasy",
            "storm": "storm stormy overcast grey gray gloomy",
        }
    ),
    "land": _index(
        {
            "hills": "hill meadow field countryside valley grass lawn farm prairie pasture garden",
            "mountains": "mountain peak alps summit cliff rock ridge volcano",
            "sea": "sea ocean coast beach shore island bay harbour harbor wave",
            "desert": "desert dune sand sahara canyon",
            "city": "city town skyline skyscraper building street downtown urban",
            "snow": "snow snowy winter arctic ice icy glacier frozen christmas",
        }
    ),
    "weather": _index(
        {
            "rain": "rain rainy raining drizzle",
            "snowfall": "snowfall snowing snowflake blizzard",
            "rainbow": "rainbow",
            "mist": "mist misty fog foggy haze hazy",
            "clear": "clear cloudless",
        }
    ),
    "water": dict.fromkeys(_words("lake water river pond reflection lakeside"), ""),
    "clouds": dict.fromkeys(_words("cloud cloudy"), ""),
    "sky": dict.fromkeys(_words("sky heaven"), ""),
    "ground": dict.fromkeys(_words("land ground landscape scenery nature"), ""),
}
"""Kind of wish -> {word: name in the grammar}."""
SIZE_OF = _index({"big": "big large huge giant enormous tall great", "small": "small little tiny mini distant far"})
PLACE_OF = _index({"left": "left", "right": "right", "centre": "center centre middle centered"})
MOST = 12
NUMBER_OF: dict[str, int] = {
    "a": 1, "an": 1, "one": 1, "single": 1, "lone": 1, "lonely": 1, "two": 2, "pair": 2, "couple": 2, "three": 3,
    "few": 3, "some": 3, "four": 4, "several": 4, "five": 5, "six": 6, "seven": 7, "flock": 7, "many": 8,
    "dozens": MOST,
}  # fmt: skip
CROWD_OF: dict[str, int] = {"forest": MOST, "wood": MOST, "woods": MOST, "village": 4}
"""Words for many of a kind."""
SEPARATORS = _words("over under above below near by with and in on at behind before beside between of against")
"""Words that end the reach of a colour or a number."""
FILLERS = _words(
    "the to from into very is are it its this that there view scene beautiful pretty lovely nice charming picture "
    "painting illustration image photo art style flat design minimal simple glass hot air high quality best "
    "masterpiece detailed digital sitting standing flying floating through up down sun sunlight sunshine "
    "blurry blur low lowres resolution worst bad ugly deformed disfigured watermark text signature logo jpeg "
    "artifacts noise noisy grainy extra missing cropped out frame nsfw duplicate intricate sharp focus "
    "realistic photorealistic "
    "cinematic lighting light soft warm cold vivid colorful colourful color colour "
    "ultra hd uhd trending rendered render"
)
"""Words that ask for nothing here, and are no surprise; those of usual negative prompts too."""
NEAREST = {
    "cat": _words("dog puppy wolf fox animal horse cow sheep pig lion tiger bear rabbit deer mouse pet"),
    "bird": _words("eagle owl duck goose butterfly bat bee dragon dragonfly"),
    "boat": _words("canoe raft submarine whale fish shark dolphin vessel ferry"),
    "house": _words("church temple school shop inn mansion villa farmhouse shed chalet room window door"),
    "castle": _words("cathedral ruin citadel keep king queen knight princess"),
    "city": _words(
        "car bus train truck bicycle motorcycle road traffic street person man woman people crowd neon cyberpunk"
    ),
    "rocket": _words("plane airplane aeroplane jet helicopter drone robot alien astronaut missile satellite ufo"),
    "balloon": _words("kite parachute zeppelin blimp ball bubble"),
    "tree": _words("palm bamboo cactus jungle leaf branch"),
    "flower": _words("lily orchid sunflower bouquet iris"),
    "bottle": _words("cup mug bowl wine beer potion lamp candle lantern"),
    "mushroom": _words("plant fern moss"),
    "lighthouse": _words("lamppost pier dock"),
    "mountains": _words("hillside rocks stone cave waterfall"),
    "galaxy": _words("planet earth mars comet asteroid blackhole"),
    "storm": _words("lightning thunder tornado hurricane"),
}
"""Word that the model knows -> words for what is most like it, of those that it does not know."""
