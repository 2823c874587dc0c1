"""Our own loop: a run and its state, checkpoints, weight averaging, and the engine underneath."""
