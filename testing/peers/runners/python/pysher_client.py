"""pysher under the benchmark: python pysher_client.py MODE PORT; see ../README.md for the modes and the output."""

import json
import sys
import threading
import time

import pysher

EVENTS = (
    "App\\Events\\UserPush",
    "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated",
)


def main(mode: str, port: str) -> None:
    client = pysher.Pusher(
        "bench-key",
        secure=False,
        custom_host="127.0.0.1",
        port=int(port),
        auth_endpoint=f"http://127.0.0.1:{port}/api/v1/broadcasting/auth",
        auth_endpoint_headers={"Authorization": "Bearer bench-token"},
    )
    ended = threading.Event()
    events = 0
    times: list[int] = []

    def on_event(data: str) -> None:
        nonlocal events
        # The library leaves the text in `data` to its user.
        json.loads(data)
        events += 1
        if mode == "times":
            times.append(time.monotonic_ns())

    def on_connect(_data: str) -> None:
        client.subscribe("private-token.bench")
        channel = client.subscribe("private-user.42")
        for name in EVENTS:
            channel.bind(name, on_event)
        channel.bind("bench-end", lambda _data: ended.set())

    client.connection.bind("pusher:connection_established", on_connect)
    client.connect()
    ended.wait()
    print("\n".join(str(line) for line in (f"done {events} 0", *times)), flush=True)


main(*sys.argv[1:3])
