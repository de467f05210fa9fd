"""Where everything is."""

import tempfile
from pathlib import Path

from modules.shared_cmd_options import cmd_opts

script_path = str(Path(__file__).resolve().parent.parent)
data_path = str((cmd_opts.data_dir or Path(tempfile.mkdtemp(prefix="webui-stand-in-"))).resolve())
models_path = str(cmd_opts.models_dir.resolve())
extensions_dir = str(Path(data_path) / "extensions")
extensions_builtin_dir = str(Path(script_path) / "extensions-builtin")
config_states_dir = str(Path(data_path) / "config_states")
default_output_dir = str(Path(data_path) / "outputs")
roots_path = str(Path(script_path) / "repositories")
cwd = str(Path.cwd())

Path(data_path).mkdir(parents=True, exist_ok=True)


def normalized_filepath(filepath: str) -> str:
    """Return ``filepath`` as an absolute path."""
    return str(Path(filepath).resolve())
