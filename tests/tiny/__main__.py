"""Command line: write the tiny models and say what was written."""

import argparse
from pathlib import Path

from tests.tiny import write_all


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tiny", description="Write tiny random models.")
    parser.add_argument("out", type=Path, help="models folder to write into")
    models = write_all(parser.parse_args().out)
    for path in sorted(path for path in models.root.rglob("*") if path.is_file()):
        print(f"{path.stat().st_size / 1e6:9.2f} MB  {path.relative_to(models.root)}")


if __name__ == "__main__":
    main()
