"""Items through multiprocessing.Queue, round trips and large buffers over Pipe.

Usage: cpython.py items PRODUCERS COUNT | trips WARM_UP COUNT | volume BYTES COUNT
"""

import json
import multiprocessing
import statistics
import sys
import time

context = multiprocessing.get_context("fork")


def produce(queue, go, count):
    go.get()
    for number in range(count):
        queue.put({"id": number, "name": "item", "isReady": True})


def items(producers, count):
    queue, go = context.Queue(), context.Queue()
    share = count // producers
    children = [context.Process(target=produce, args=(queue, go, share)) for _ in range(producers)]
    for child in children:
        child.start()
    started = time.perf_counter()
    for _ in children:
        go.put(True)
    for _ in range(share * producers):
        queue.get()
    elapsed = time.perf_counter() - started
    for child in children:
        child.join()
    return {"perSecond": share * producers / elapsed}


def echo(connection, count):
    for _ in range(count):
        connection.send(connection.recv())


def trips(warm_up, count):
    own, other = context.Pipe()
    child = context.Process(target=echo, args=(other, warm_up + count))
    child.start()
    micros = []
    for value in range(warm_up + count):
        started = time.perf_counter_ns()
        own.send(value)
        own.recv()
        micros.append((time.perf_counter_ns() - started) / 1e3)
    child.join()
    micros = micros[warm_up:]
    cuts = statistics.quantiles(micros, n=20, method="inclusive")
    return {"p50": statistics.median(micros), "p95": cuts[-1], "mean": statistics.fmean(micros)}


def flood(connection, size, count):
    message = b"\1" * size
    connection.recv()
    for _ in range(count):
        connection.send_bytes(message)


def volume(size, count):
    own, other = context.Pipe()
    child = context.Process(target=flood, args=(other, size, count))
    child.start()
    own.send("go")
    started = time.perf_counter()
    for _ in range(count):
        if len(own.recv_bytes()) != size:
            raise RuntimeError("a message is not whole")
    elapsed = time.perf_counter() - started
    child.join()
    return {"mebibytes": size * count / 2**20 / elapsed}


def main():
    measure, first, second = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    metrics = {"items": items, "trips": trips, "volume": volume}[measure](first, second)
    print(json.dumps({"metrics": metrics}))


if __name__ == "__main__":
    main()
