"""Where a figure was measured: processor, versions, commit."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from bisenet.system.cores import core_count

FLAGS = "avx2", "avx512f", "avx512_bf16", "amx_bf16"  # what a processor can do that matters here
PACKAGES = "torch", "numpy", "opencv-python", "pillow", "dvc"


def this_machine(checkouts):
    """{"processor", "flags", "cores", "threads", "gpu", "load", "python", "versions", "commits", "date"}

    checkouts: {name: folder}, whose commits are told, with a + where files differ from it
    """
    return {
        "processor": _processor("model name") or platform.processor() or platform.machine(),
        "flags": [flag for flag in FLAGS if flag in _processor("flags").split()],
        "cores": core_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "load": os.getloadavg()[0],  # of the minute before; above 0, others used the machine too
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in PACKAGES},
        "commits": {name: commit(folder) for name, folder in checkouts.items()},
        "date": datetime.now(UTC).date().isoformat(),
    }


def commit(folder):
    """Of a checkout, short; None where git knows none."""
    found = _git(folder, "rev-parse", "--short", "HEAD")
    return found and found + ("+" if _git(folder, "status", "--porcelain", "--", "bisenet", "stages") else "")


def in_words(machine):
    versions = ", ".join(f"{name} {found}" for name, found in machine["versions"].items())
    commits = ", ".join(f"{name} {found}" for name, found in machine["commits"].items())
    hardware = machine["gpu"] or f"{machine['processor']} ({', '.join(machine['flags']) or 'no AVX2'})"
    return f"{hardware}, {machine['cores']} cores; Python {machine['python']}, {versions}; commit of {commits}"


def _processor(key):
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.split("\t")[0] == key), "")


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(folder, *command):
    done = subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None
