"""CPython multiprocessing.Pool: single calls, many in flight, one map.

Usage: cpython.py calls|window|imap|map COUNTS (the object of counts.ts, as JSON)
"""

import json
import multiprocessing
import statistics
import sys
import threading
import time

WORKERS = 2


def noop(x):
    return x


def check_sum(total, items):
    if total != items * (items - 1) // 2:
        raise RuntimeError(f"the results of {items} tasks add up to {total}")


def calls(pool, counts):
    for x in range(counts["callWarmUp"]):
        pool.apply(noop, (x,))
    micros = []
    for x in range(counts["calls"]):
        started = time.perf_counter_ns()
        answer = pool.apply(noop, (x,))
        micros.append((time.perf_counter_ns() - started) / 1e3)
        if answer != x:
            raise RuntimeError(f"call {x} was answered by {answer}")
    cuts = statistics.quantiles(micros, n=20, method="inclusive")
    return {"p50": statistics.median(micros), "p95": cuts[-1], "mean": statistics.fmean(micros)}


def run_window(pool, tasks, in_flight):
    free = threading.Semaphore(in_flight)
    total = 0

    def answered(value):
        nonlocal total
        total += value
        free.release()

    started = time.perf_counter_ns()
    for x in range(tasks):
        free.acquire()
        pool.apply_async(noop, (x,), callback=answered)
    for _ in range(in_flight):
        free.acquire()
    elapsed = (time.perf_counter_ns() - started) / 1e9
    check_sum(total, tasks)
    return elapsed


def run_imap(pool, tasks):
    started = time.perf_counter_ns()
    total = sum(pool.imap_unordered(noop, range(tasks), chunksize=1))
    elapsed = (time.perf_counter_ns() - started) / 1e9
    check_sum(total, tasks)
    return elapsed


def window(pool, counts):
    run_window(pool, counts["flightWarmUp"], counts["inFlight"])
    return {"perSecond": counts["flightTasks"] / run_window(pool, counts["flightTasks"], counts["inFlight"])}


def imap(pool, counts):
    run_imap(pool, counts["flightWarmUp"])
    return {"perSecond": counts["flightTasks"] / run_imap(pool, counts["flightTasks"])}


def map_all(pool, counts):
    pool.map(noop, list(range(counts["mapWarmUp"])))
    items = list(range(counts["mapItems"]))
    started = time.perf_counter_ns()
    results = pool.map(noop, items)
    elapsed = (time.perf_counter_ns() - started) / 1e6
    check_sum(sum(results), counts["mapItems"])
    return {"milliseconds": elapsed}


def main():
    measure = {"calls": calls, "window": window, "imap": imap, "map": map_all}[sys.argv[1]]
    pool = multiprocessing.get_context("fork").Pool(WORKERS)
    metrics = measure(pool, json.loads(sys.argv[2]))
    pool.close()
    pool.join()
    print(json.dumps({"metrics": metrics}))


if __name__ == "__main__":
    main()
