#!/usr/bin/env bash
# Linters, type check and every test that needs no real WebUI. Arguments go to pytest.
set -u
source "$(dirname "$0")/tests/environment.sh"
need_chromium & chromium=$!  # while the packages come
make_environment
wait "$chromium" || exit 1
CHROMIUM=$(find_chromium); export CHROMIUM

status=0
say "Linters";    "$PYTHON" -m ruff check . && "$PYTHON" -m ruff format --check . || status=1
say "Types";      "$PYTHON" -m mypy || status=1
say "Tests";      "$PYTHON" -m pytest --webui-url stand-in -n 2 --dist loadfile --no-loadscope-reorder "$@" || status=1
exit $status
