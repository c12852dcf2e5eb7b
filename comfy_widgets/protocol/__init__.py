"""Room: see DEVELOP.md."""
