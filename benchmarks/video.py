"""How fast a clip is labelled, beside the plain way: python -m benchmarks.video --clip clip.mp4 --weights model.pt

The plain way is upstream's: frames squeezed to 768 x 768, the network as it was trained, in float32, logits of full
size, up to 1,024 float frames in each of two queues, colours written by OpenCV as mp4v. Ours keeps the size. Each runs
in a process of its own, in turns; the medians of clock and CPU seconds, the largest memory, and the ratios are printed.
"""

import argparse
import os
import queue
import statistics
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from threading import Thread

SQUEEZED = 768, 768
WAITING = 1024


def plain(clip, weights, output, frames):
    import cv2
    import numpy as np
    import torch

    from benchmarks.plain_networks import NETWORKS
    from bisenet.weights.checkpoint import load_checkpoint

    known = load_checkpoint(Path(weights))  # the weights and what belongs to them; all else is plain
    model = NETWORKS[known.model_name](len(known.table))
    model.load_state_dict(known.model.state_dict(), strict=False)
    model.eval()
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (known.mean, known.std))
    palette = np.array(known.table.colors, np.uint8)[:, ::-1]
    source, ready, labelled = cv2.VideoCapture(clip), queue.Queue(WAITING), queue.Queue(WAITING)
    size = tuple(int(source.get(which)) for which in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))

    def read():
        for _ in range(frames):
            there, frame = source.read()
            if not there:
                break
            rgb = cv2.cvtColor(cv2.resize(frame, SQUEEZED), cv2.COLOR_BGR2RGB)
            ready.put((torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 255 - mean) / std)
        ready.put(None)

    def write():
        target = cv2.VideoWriter(output, cv2.VideoWriter_fourcc(*"mp4v"), source.get(cv2.CAP_PROP_FPS), size)
        while (labels := labelled.get()) is not None:
            target.write(cv2.resize(palette[labels], size))
        target.release()

    threads = [Thread(target=read), Thread(target=write)]
    for thread in threads:
        thread.start()
    with torch.no_grad():
        while (image := ready.get()) is not None:
            labelled.put(model(image)[0].argmax(1)[0].numpy())
    labelled.put(None)
    for thread in threads:
        thread.join()


def ours(clip, weights, output, frames, precision=None):
    import itertools

    import bisenet
    from bisenet.video.clips import Clip
    from bisenet.video.labelling import label_video
    from bisenet.video.pictures import Look

    class Few(Clip):
        def __iter__(self):
            return itertools.islice((item for item in super().__iter__() if hasattr(item, "pixels")), frames)

    net = bisenet.load(weights, precision=precision)
    label_video(Few(clip), output, lambda frame: net(frame).labels, net.table, Look("color"))


def measured(way, *job):
    """(clock, CPU seconds, MiB) of a way, after two frames that are not counted."""
    import resource

    way(*job[:3], 2, *job[4:])
    clock, used = time.perf_counter(), time.process_time()
    way(*job)
    clock, used = time.perf_counter() - clock, time.process_time() - used
    return clock, used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_a_process(results, way, job):
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    results.put(measured(*((plain, ours)[way == "ours"], *job)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", required=True)
    parser.add_argument("--weights", required=True, help="a checkpoint")
    parser.add_argument("--exported", help="a file that ours runs instead, such as model.onnx")
    parser.add_argument("--precision", help="of ours; default: the fastest of this machine")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    spawn, found = get_context("spawn"), {"plain": [], "ours": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            for way, rows in found.items():
                weights = given.exported if way == "ours" and given.exported else given.weights
                results = spawn.Queue()
                job = [given.clip, weights, f"{folder}/{way}.mp4", given.frames]
                job += [given.precision] if way == "ours" else []
                process = spawn.Process(target=in_a_process, args=(results, way, job))
                process.start()
                rows.append(results.get())
                process.join()
    medians = {way: [statistics.median(column) for column in zip(*rows, strict=True)] for way, rows in found.items()}
    for way, (clock, used, memory) in medians.items():
        print(
            f"{way:6} {given.frames / clock:6.2f} frames/s  {used / given.frames:6.3f} CPU s/frame  {memory:6.0f} MiB"
        )
    print("ratio ", *(f"{a / b:.2f}" for a, b in zip(medians["plain"], medians["ours"], strict=True)))


if __name__ == "__main__":
    main()
