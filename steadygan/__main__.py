"""``python -m steadygan``, for launchers that start modules: ``torchrun --nproc-per-node 2 -m steadygan train …``."""

from steadygan.cli import main

if __name__ == "__main__":
    main()
