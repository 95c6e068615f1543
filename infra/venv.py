#!/usr/bin/env python3
"""Prints the folder of a Python environment with the packages of a requirements file.

    venv.py CACHE NAME REQUIREMENTS

It is made once for each content of the file and version of Python. Runs at the same time wait
for each other; one that was interrupted is made again.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path


def install(folder, requirements):
    print(f"==> installing {requirements.name} into {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    steps = {
        "On Debian and Ubuntu it needs: apt install python3-venv": [
            sys.executable, "-m", "venv", folder,
        ],
        "Can pip reach its package index?": [
            folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
            "-r", requirements,
        ],
    }
    for advice, step in steps.items():
        command = [str(word) for word in step]
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
            sys.exit(f"venv.py: {' '.join(command)} failed. {advice}")


def main():
    cache, name, requirements = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    key = hashlib.sha256(sys.version.encode() + requirements.read_bytes()).hexdigest()[:12]
    folder = cache / f"venv-{name}-{key}"
    marker = folder / "complete"
    cache.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            install(folder, requirements)
            marker.touch()
    print(folder)


if __name__ == "__main__":
    main()
