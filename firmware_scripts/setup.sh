#!/usr/bin/env bash
# Sets up a machine with nothing but Debian, Ubuntu or Raspberry Pi OS and Python: system packages, then .venv from the lock.
# Nothing that is present is installed again; nothing is written outside the checkout but by apt.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
packages=(libzbar0 bubblewrap libseccomp2 mosquitto python3-venv)

present() {
  case $1 in
    libzbar0) ldconfig_has libzbar.so.0 ;;
    libseccomp2) ldconfig_has libseccomp.so.2 ;;
    bubblewrap) command -v bwrap >/dev/null ;;
    mosquitto) [ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null ;;
    python3-venv) "$python" -c 'import venv, ensurepip' 2>/dev/null ;;
  esac
}
libraries=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)
ldconfig_has() { [[ $libraries == *"$1"* ]]; }

missing=()
for package in "${packages[@]}"; do present "$package" || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
  echo "sealcam needs these system packages: ${missing[*]}" >&2
  if ! command -v apt-get >/dev/null; then
    echo "There is no apt here: install them with your package manager, then run make again." >&2
    exit 2
  fi
  sudo=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "Become root or install sudo, then run make again." >&2; exit 2; }
    sudo=(sudo)
  fi
  "${sudo[@]}" apt-get update -q
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $version in
  3.11 | 3.12 | 3.13) ;;
  *) echo "Python $version is not 3.11, 3.12 or 3.13: install one of them and run make PYTHON=python3.13" >&2; exit 2 ;;
esac
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip --upgrade >/dev/null
.venv/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check "uv==${UV_VERSION:?run this through make}"
export UV_NO_CACHE=1  # nothing outside the checkout
UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON=.venv/bin/python .venv/bin/uv sync -q --frozen --inexact --extra sink --extra dev --extra evaluate
