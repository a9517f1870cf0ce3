#!/usr/bin/env bash
# Installs the pinned conformance peers into target/conformance. Safe to run again; needs node, npm and python3.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=target/conformance
mkdir -p "$out/node"
cp tests/conformance/node/package.json tests/conformance/node/package-lock.json tests/conformance/node/*.mjs "$out/node/"
npm ci --prefix "$out/node" --no-audit --no-fund --ignore-scripts
[ -x "$out/venv/bin/python" ] || python3 -m venv "$out/venv"
"$out/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement tests/conformance/python/requirements.txt
