"""``cmd_opts``: the arguments, after every extension's ``preload.py`` has had its say."""

import argparse
import os
import shlex
import sys

from modules import cmd_args, script_loading

_EXTENSION = "--extension"


def _early_extensions(arguments: list[str]) -> list[str]:
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument(_EXTENSION, action="append", default=[])
    return early.parse_known_args(arguments)[0].extension


_arguments = sys.argv[1:] + shlex.split(os.environ.get("COMMANDLINE_ARGS", ""))
for _folder in _early_extensions(_arguments):
    script_loading.preload_extension(_folder, cmd_args.parser)

cmd_opts = cmd_args.parser.parse_args(_arguments)
