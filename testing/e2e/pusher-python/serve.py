"""Calls Python's server library of Pusher, one call for each line of stdin, and answers each with a line of JSON:
{"ok": what it returned} or {"error": {"name", "text"}}.

The only argument is a JSON object: {app_id, key, secret, host, port, master_key}. A line of stdin is one of CALLS with its
arguments, such as {"call": "trigger", "channels": ["news"], "event": "added", "data": {"id": 17}}.
"""

import json
import sys

from pusher import Pusher

options = json.loads(sys.argv[1])

pusher = Pusher(
    app_id=options["app_id"],
    key=options["key"],
    secret=options["secret"],
    host=options["host"],
    port=options["port"],
    ssl=False,
    encryption_master_key_base64=options["master_key"],
)


def attributes(info):
    return info.split(",") if info else []


CALLS = {
    "trigger": lambda channels, event, data, socket_id=None: pusher.trigger(channels, event, data, socket_id),
    "trigger_batch": lambda batch: pusher.trigger_batch(batch),
    "channels": lambda prefix, info=None: pusher.channels_info(prefix, attributes(info)),
    "channel": lambda channel, info=None: pusher.channel_info(channel, attributes(info)),
    "users": lambda channel: pusher.users_info(channel),
    "send_to_user": lambda user, event, data: pusher.send_to_user(user, event, data),
    "authorize": lambda socket_id, channel, member=None: pusher.authenticate(channel, socket_id, member),
    "authenticate": lambda socket_id, user: pusher.authenticate_user(socket_id, user),
}


def text(value):
    """The shared secret is given as bytes."""
    return value.decode()


for line in sys.stdin:
    arguments = json.loads(line)
    call = CALLS[arguments.pop("call")]
    try:
        answer = {"ok": call(**arguments)}
    except Exception as error:
        answer = {"error": {"name": type(error).__name__, "text": str(error)}}
    print(json.dumps(answer, default=text), flush=True)
