"""Command line of the stand-in: ``python -m tests.host --models-dir DIR``."""

from tests.host.launcher import main

if __name__ == "__main__":
    main()
