# Sourced by demo.sh and test.sh: makes .venv with the pinned packages once, and sets PYTHON to its interpreter.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say() { printf '\n== %s\n' "$*"; }

find_python() {
    local candidate
    for candidate in python3.11 python3.10 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 10), (3, 11)))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.10 or 3.11 is needed (the WebUI's pins do not install on newer ones)." >&2
    exit 1
}

make_environment() {
    local stamp
    stamp=$(cksum < tests/requirements.txt)
    PYTHON=$PWD/.venv/bin/python
    if [ "$(cat .venv/installed 2>/dev/null)" != "$stamp" ]; then
        say "Installing the test environment into .venv (once)"
        "$(find_python)" -m venv .venv || { echo "Could not make .venv; on Debian install python3-venv." >&2; exit 1; }
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-compile -r tests/requirements.txt || exit 1
        echo "$stamp" > .venv/installed
    fi
    # Nothing is fetched at run time, and tiny tensors gain nothing from threads.
    export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 OMP_NUM_THREADS=1
}

find_chromium() {
    local name
    for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}

need_chromium() {
    find_chromium > /dev/null && return
    say "Installing Chromium for the browser tests"
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium > /dev/null
    fi
    find_chromium > /dev/null || { echo "The browser tests need Chromium: install it and run again." >&2; return 1; }
}
