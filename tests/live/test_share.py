"""A share that is away when a watch begins, really mounted and not: nothing is written in its place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

# In mounts of its own: a share that is there, then away, then there again, and a watch for each.
SCRIPT = """
set -eu
mount --make-rprivate /
mkdir back share
mount -t tmpfs -o size=50m tmpfs back
watch() {
    "$PYTHON" -m bgsub watch "$VIDEO" --loop --into share/rec --state state --no-listen --min-free 1MB --record both \\
        --duration "$1" 2>&1
}
mount --bind back share
watch 3s
umount share
echo "== away"
watch 6s
echo "== in its place: $(find share -type f | wc -l)"
mount --bind back share
before=$(find share -type f | wc -l)
echo "== back"
watch 3s
echo "== more: $(( $(find share -type f | wc -l) > before ))"
"""


def may_mount():
    if shutil.which("unshare") is None or os.name != "posix" or os.geteuid() != 0:
        return False
    command = ["unshare", "-m", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="mounting is not allowed here")
def test_nothing_is_written_where_a_share_was(tmp_path):
    variables = {
        **os.environ,
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "VIDEO": str(ROOT / "sample_videos" / "street.mp4"),
    }
    command = ["unshare", "-m", "bash", "-c", SCRIPT]
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, _, rest = done.stdout.partition("== away\n")
    away, _, last = rest.partition("== back\n")
    assert "share/rec are away" not in first
    assert f"recordings  trouble: the recordings in {tmp_path}/share/rec are away: the file system under it" in away
    assert "== in its place: 0\n" in away
    assert "are away" not in last and "== more: 1\n" in last
