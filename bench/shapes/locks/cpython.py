"""multiprocessing.Lock, alone and contended by two processes.

Usage: cpython.py uncontended|contended full|quick
"""

import json
import multiprocessing
import sys
import time

LAST, CHANGES, STOP, TOTAL, READY = range(5)


def uncontended(count):
    lock = multiprocessing.get_context("fork").Lock()
    for _ in range(2):
        began = time.perf_counter_ns()
        for _ in range(count):
            lock.acquire(False)
            lock.release()
        pair = (time.perf_counter_ns() - began) / count
    return {"pair": pair}


def contend(lock, words, me):
    words[READY + me] = 1
    while not (words[READY + 1] and words[READY + 2]):
        pass
    while not words[STOP]:
        lock.acquire()
        if words[LAST] != me:
            words[LAST] = me
            words[CHANGES] += 1
        words[TOTAL] += 1
        lock.release()


def contended(seconds):
    context = multiprocessing.get_context("fork")
    lock = context.Lock()
    words = context.RawArray("i", 8)
    children = [context.Process(target=contend, args=(lock, words, me)) for me in (1, 2)]
    for child in children:
        child.start()
    while not (words[READY + 1] and words[READY + 2]):
        time.sleep(0.001)
    time.sleep(0.1)
    before = words[CHANGES], words[TOTAL]
    began = time.perf_counter()
    time.sleep(seconds)
    elapsed = time.perf_counter() - began
    metrics = {"changes": (words[CHANGES] - before[0]) / elapsed, "total": (words[TOTAL] - before[1]) / elapsed}
    words[STOP] = 1
    for child in children:
        child.join()
    return metrics


def main():
    is_full = sys.argv[2] == "full"
    if sys.argv[1] == "uncontended":
        metrics = uncontended(1_000_000 if is_full else 100_000)
    else:
        metrics = contended(3 if is_full else 0.2)
    print(json.dumps({"metrics": metrics}))


if __name__ == "__main__":
    main()
