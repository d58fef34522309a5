"""The parts of `upid demo`: the demo cluster's process, the platform's API as a client sees it, and the tour through it."""
