"""asyncpusher under the benchmark: python asyncpusher_client.py MODE PORT; see ../README.md for modes and output."""

import asyncio
import sys
import time

import aiohttp
from asyncpusher import Pusher

EVENTS = (
    "App\\Events\\UserPush",
    "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated",
)


async def main(mode: str, port: str) -> None:
    ended = asyncio.Event()
    events = 0
    times: list[int] = []

    async def authorize(data: dict) -> dict:
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer bench-token"}) as session:
            async with session.post(f"http://127.0.0.1:{port}/api/v1/broadcasting/auth", data=data) as answer:
                return await answer.json()

    async def on_event(_data: dict) -> None:
        nonlocal events
        events += 1
        if mode == "times":
            times.append(time.monotonic_ns())

    async def on_end(_data: dict) -> None:
        ended.set()

    client = Pusher(
        "bench-key",
        secure=False,
        custom_host="127.0.0.1",
        custom_port=int(port),
        channel_authenticator=authorize,
    )
    await client.connect()
    await client.subscribe("private-token.bench")
    channel = await client.subscribe("private-user.42")
    for name in EVENTS:
        channel.bind(name, on_event)
    channel.bind("bench-end", on_end)
    await ended.wait()
    print("\n".join(str(line) for line in (f"done {events} 0", *times)), flush=True)


asyncio.run(main(*sys.argv[1:3]))
