"""Command line: write the miniature as a WebUI's models folder."""

import argparse
from pathlib import Path

from tests.mini.assemble import assemble


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mini", description="Write the trained miniature.")
    parser.add_argument("out", type=Path, help="models folder to write into")
    models = assemble(parser.parse_args().out)
    for path in sorted(path for path in models.root.rglob("*") if path.is_file()):
        print(f"{path.stat().st_size / 1e6:9.2f} MB  {path.relative_to(models.root)}")


if __name__ == "__main__":
    main()
