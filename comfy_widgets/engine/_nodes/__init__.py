"""The node classes, written with ComfyUI's classic node API."""
