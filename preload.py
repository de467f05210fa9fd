"""Command line options of the extension."""

import argparse


def preload(parser: argparse.ArgumentParser) -> None:
    """Add our options to the WebUI's parser."""
    parser.add_argument(
        "--instantstyle-models-dir",
        type=str,
        default=None,
        help="another folder in which InstantStyle looks for IP-Adapter files and image encoders",
    )
    parser.add_argument(
        "--instantstyle-cache-dir",
        type=str,
        default=None,
        help="folder in which InstantStyle keeps the embeddings of reference pictures",
    )
