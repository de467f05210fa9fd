"""Command line: write the tiny models and say what was written."""

import argparse
from pathlib import Path

from tests.tiny import ALL, write_parts


def main() -> None:
    names = list(ALL)
    parser = argparse.ArgumentParser(prog="python -m tests.tiny", description="Write tiny random models.")
    parser.add_argument("out", type=Path, help="models folder to write into")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--force", action="store_true", help="write again what is there already")
    arguments = parser.parse_args()
    models = write_parts(arguments.out, arguments.only, force=arguments.force)
    for path in sorted(path for path in models.root.rglob("*") if path.is_file()):
        print(f"{path.stat().st_size / 1e6:9.2f} MB  {path.relative_to(models.root)}")


if __name__ == "__main__":
    main()
