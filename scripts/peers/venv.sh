# Sourced by the scripts beside it: a Python environment of pinned packages, made once.
#
#   install_venv NAME   installs NAME.requirements.txt of this folder into
#                       ${STRAT_PEERS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/stratiform/peers}/NAME,
#                       and prints that folder

install_venv() {
    local here peers folder wanted
    here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
    peers="${STRAT_PEERS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/stratiform/peers}"
    folder="$peers/$1"
    wanted="$here/$1.requirements.txt"

    if cmp --silent "$wanted" "$folder/installed.txt"; then
        echo "$folder"
        return
    fi

    mkdir -p "$peers"
    # The stamp comes last, so that a half-made environment is never taken for a whole one.
    rm -f "$folder/installed.txt"
    "${PYTHON:-python3}" -m venv "$folder" >&2
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted" >&2
    cp "$wanted" "$folder/installed.txt"
    echo "$folder"
}
