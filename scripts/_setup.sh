# Sourced by the scripts beside it: finds Python, makes .venv, installs the package into it.
# setup EXTRAS: editable install with the given extras; quick when nothing has changed.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${ULTRAINTERACT_VENV:-$root/.venv}

setup() {
  local python stamp wanted
  for python in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && break
    python=
  done
  if [ -z "${python:-}" ]; then
    echo "Python 3.11 or newer is missing: install it, or name it with PYTHON=/path/to/python3." >&2
    return 1
  fi
  if [ ! -x "$venv/bin/python" ]; then
    "$python" -m venv "$venv" || {
      echo "Cannot make $venv: the venv module is missing (on Debian: apt-get install python3-venv)." >&2
      return 1
    }
  fi
  stamp=$venv/.installed-$1
  wanted=$(cat "$root/pyproject.toml" "$root/scripts/constraints.txt" | cksum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing into ${venv#"$root"/} …" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
      --constraint "$root/scripts/constraints.txt" --editable "$root[$1]" || return 1
    printf '%s' "$wanted" >"$stamp"
  fi
}
