"""``python -m comfy_widgets.engine``: the engine as a server."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
