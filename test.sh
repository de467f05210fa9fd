#!/usr/bin/env bash
# Linters, type check and every test that needs no real WebUI. Arguments go to pytest.
set -u
source "$(dirname "$0")/tests/environment.sh"
need_chromium & chromium=$!  # while the packages come
make_environment
wait "$chromium" || exit 1
CHROMIUM=$(find_chromium); export CHROMIUM

workers=$(nproc 2>/dev/null || echo 2); [ "$workers" -ge 2 ] || workers=2
status=0
say "Linters";    "$PYTHON" -m ruff check . && "$PYTHON" -m ruff format --check . || status=1
say "Types";      "$PYTHON" -m mypy || status=1
say "Tests";      "$PYTHON" -m pytest --webui-url stand-in -n "$workers" --dist loadfile --no-loadscope-reorder "$@" || status=1
exit $status
