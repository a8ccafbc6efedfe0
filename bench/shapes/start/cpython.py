"""CPython multiprocessing: from Process.start() to the child's first message, then the same again.

Usage: cpython.py fork|forkserver|spawn STARTS
"""

import json
import multiprocessing
import statistics
import sys
import time


def first_message(connection):
    connection.send(1)
    connection.close()


def one_start(context):
    receiver, sender = context.Pipe(duplex=False)
    started = time.perf_counter_ns()
    child = context.Process(target=first_message, args=(sender,))
    child.start()
    receiver.recv()
    elapsed = (time.perf_counter_ns() - started) / 1e6
    child.join()
    receiver.close()
    sender.close()
    return elapsed


def main():
    context = multiprocessing.get_context(sys.argv[1])
    samples = [one_start(context) for _ in range(int(sys.argv[2]))]
    later = samples[1:]
    metrics = {
        "first": samples[0],
        "p50": statistics.median(later),
        "p95": statistics.quantiles(later, n=20, method="inclusive")[-1],
    }
    print(json.dumps({"metrics": metrics, "samples": samples}))


if __name__ == "__main__":
    main()
