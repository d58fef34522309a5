"""Adapters for the embedded platform, where the runtime in this process does what a cloud service would."""
