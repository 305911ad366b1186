#!/usr/bin/env bash
# Lint, format and types: what continuous integration runs after the tests. Needs `pip install ".[dev]"`.
set -euo pipefail
cd "$(dirname "$0")/.."
ruff check .
ruff format --check .
mypy
MYPYPATH=scripts mypy --explicit-package-bases scripts
