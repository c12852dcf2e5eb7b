"""``python -m comfy_widgets.engine``: the engine as a server."""

import sys

from ._command import main

if __name__ == "__main__":
    sys.exit(main())
