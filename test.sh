#!/usr/bin/env bash
# Linters, type check and every test that needs no real WebUI, as AUTOMATIC1111's; then one job of each kind as Forge's. With
# --all every WebUI gets all tests that it can be asked, fresh settings too, and what differs by the packages' versions runs
# in a second environment. Other arguments go to pytest.
set -u
all=; [ "${1-}" = --all ] && { all=yes; shift; }
source "$(dirname "$0")/tests/environment.sh"
need_chromium & chromium=$!  # while the packages come
make_environment
wait "$chromium" || exit 1
CHROMIUM=$(find_chromium); export CHROMIUM

TINY_MODELS=$(mktemp -d); export TINY_MODELS; trap 'rm -rf "$TINY_MODELS"' EXIT  # once for all runs
"$PYTHON" -c 'from pathlib import Path; from sys import argv; from tests.tiny import OTHER_CHECKPOINTS, PARTS, write_parts
write_parts(Path(argv[1]), PARTS | OTHER_CHECKPOINTS)' "$TINY_MODELS" & models=$!
workers=$(nproc 2>/dev/null || echo 2); [ "$workers" -ge 2 ] || workers=2
differs="tests/browser/test_page.py tests/host/test_page.py tests/host/test_api.py tests/live/test_boxes.py tests/live/test_routes.py
    tests/parity tests/unit/test_boxes.py tests/unit/test_colours.py tests/unit/test_encoder.py tests/unit/test_formats.py
    tests/unit/test_model_files.py"

status=0
say "Linters";    "$PYTHON" -m ruff check . && "$PYTHON" -m ruff format --check . || status=1
say "Types";      "$PYTHON" -m mypy || status=1
run() { "$PYTHON" -m pytest --webui-url stand-in -n "$workers" --dist loadfile --no-loadscope-reorder "$@"; }
run_as() { run --flavour "$@"; case $? in 0|5) ;; *) status=1 ;; esac; }  # 5: the arguments select nothing there
wait "$models" || exit 1
say "Tests"; run "$@" || status=1
if [ "$all" ]; then
    say "Tests with fresh settings"; run --unsaved tests/live "$@" || status=1
    for flavour in forge reforge classic; do
        say "Tests as $flavour"; run_as "$flavour" tests/host tests/lifecycle tests/live "$@"
    done
    if [ "$PYTHON" = "$PWD/.venv/bin/python" ]; then
        make_new_environment
        say "Tests with gradio 4 and the newest packages"
        # shellcheck disable=SC2086  (a list of paths)
        run $differs || status=1
    fi
elif [ $# = 0 ]; then
    say "Tests as forge"; run_as forge -m each_host tests/live tests/lifecycle/test_hosts.py
fi
exit $status
