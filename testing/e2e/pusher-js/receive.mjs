// Subscribes with pusher-js and prints what happens, one JSON object a line, until it is killed or stdin ends.
//
// The only argument is a JSON object: {key, host, port, path?, authorization?: {endpoint, token}, channels}.

import Pusher from "pusher-js";

const options = JSON.parse(process.argv[2]);

const print = (record) => process.stdout.write(`${JSON.stringify(record)}\n`);

const pusher = new Pusher(options.key, {
  cluster: "",
  wsHost: options.host,
  wsPort: options.port,
  wsPath: options.path ?? "",
  forceTLS: false,
  enabledTransports: ["ws"],
  channelAuthorization: options.authorization && {
    transport: "ajax",
    endpoint: options.authorization.endpoint,
    headers: { Authorization: `Bearer ${options.authorization.token}` },
  },
});

pusher.connection.bind("state_change", ({ current }) => print({ kind: "state", state: current }));
pusher.connection.bind("error", (error) => print({ kind: "error", error }));

for (const name of options.channels) {
  const channel = pusher.subscribe(name);
  channel.bind("pusher:subscription_succeeded", () => print({ kind: "subscribed", channel: name }));
  channel.bind("pusher:subscription_error", ({ status }) => print({ kind: "refused", channel: name, status }));
  channel.bind_global((event, data) => {
    if (!event.startsWith("pusher:")) {
      print({ kind: "event", channel: name, event, data });
    }
  });
}

process.stdin.on("end", () => process.exit(0)).resume();
