"""Round trips over multiprocessing.Pipe, both sides blocking in recv().

Usage: cpython.py WARM_UP MEASURED
"""

import json
import multiprocessing
import statistics
import sys
import time


def echo(connection):
    while (value := connection.recv()) is not None:
        connection.send(value)


def trip(connection, value):
    started = time.perf_counter_ns()
    connection.send(value)
    answer = connection.recv()
    elapsed = time.perf_counter_ns() - started
    if answer != value:
        raise RuntimeError(f"trip {value} came back as {answer}")
    return elapsed / 1e3


def main():
    warm_up, measured = int(sys.argv[1]), int(sys.argv[2])
    context = multiprocessing.get_context("fork")
    own, other = context.Pipe()
    child = context.Process(target=echo, args=(other,))
    child.start()
    for value in range(warm_up):
        trip(own, value)
    micros = [trip(own, value) for value in range(measured)]
    own.send(None)
    child.join()
    cuts = statistics.quantiles(micros, n=20, method="inclusive")
    metrics = {"p50": statistics.median(micros), "p95": cuts[-1], "mean": statistics.fmean(micros)}
    print(json.dumps({"metrics": metrics}))


if __name__ == "__main__":
    main()
