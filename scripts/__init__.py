"""The tasks behind the Makefile. They set up ``.venv`` themselves, so they need only the standard library."""
