"""Processes of one group on this machine, which talk over a port of it."""

import os
import socket

import torch
from torch import multiprocessing

HEAVY = "torch._dynamo", "torch.distributed.run", "imagecodecs", "skimage.transform"
OWN = "training.trainer", "inspection.dataset_report", "suggestion.suggest", "interface", "scenes.drawing"
# With torch, seconds: once for all processes of all tests.
multiprocessing.set_forkserver_preload([*HEAVY, *(f"bisenet.{name}" for name in OWN)])


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def run_together(work, count, *more, join=True):
    """`work(number, *more)` in each of so many processes, which know their places as torchrun would tell them."""
    given = work, count, free_port(), more
    return multiprocessing.start_processes(_in_its_place, given, count, join, start_method="forkserver")


def run_alone(work, *given):
    """`work(*given)` in a process of its own, whose signals reach nobody else."""
    process = multiprocessing.get_context("forkserver").Process(target=work, args=given)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def _in_its_place(number, work, count, port, more):
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number), "WORLD_SIZE": str(count)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    work(number, *more)
