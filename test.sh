#!/usr/bin/env bash
# Linters, type check and every test that needs no real WebUI. Arguments go to pytest; without any, what differs by the
# packages' versions is tested in a second environment too.
set -u
source "$(dirname "$0")/tests/environment.sh"
need_chromium & chromium=$!  # while the packages come
make_environment
wait "$chromium" || exit 1
CHROMIUM=$(find_chromium); export CHROMIUM

differs="tests/browser tests/host tests/live/test_boxes.py tests/live/test_routes.py tests/parity tests/unit/test_boxes.py
    tests/unit/test_colours.py tests/unit/test_encoder.py tests/unit/test_formats.py tests/unit/test_model_files.py"
workers=$(nproc 2>/dev/null || echo 2); [ "$workers" -ge 2 ] || workers=2
run_tests() { "$PYTHON" -m pytest --webui-url stand-in -n "$workers" --dist loadfile --no-loadscope-reorder "$@"; }

status=0
say "Linters";    "$PYTHON" -m ruff check . && "$PYTHON" -m ruff format --check . || status=1
say "Types";      "$PYTHON" -m mypy || status=1
say "Tests";      run_tests "$@" || status=1
if [ $# = 0 ] && [ "$PYTHON" = "$PWD/.venv/bin/python" ]; then
    make_new_environment
    say "Tests with gradio 4 and the newest packages"
    # shellcheck disable=SC2086  (a list of paths)
    run_tests $differs || status=1
fi
exit $status
