// Subscribes with pusher-js and prints what happens, one JSON object a line, until it is killed or stdin ends.
//
// The only argument is a JSON object: {key, host, port, path?, authorization?: {endpoint, user_endpoint?, headers},
// channels, events?}. With `events`, what is bound to these names is printed as well, with who sent it.
//
// A line of stdin is a command: {"do": "subscribe" | "unsubscribe" | "members", "channel"},
// {"do": "trigger", "channel", "event", "data"} or {"do": "signin"}.

import { createInterface } from "node:readline";
import Pusher from "pusher-js";

const options = JSON.parse(process.argv[2]);

const print = (record) => process.stdout.write(`${JSON.stringify(record)}\n`);

const authorization = options.authorization && {
  transport: "ajax",
  endpoint: options.authorization.endpoint,
  headers: options.authorization.headers,
};

const pusher = new Pusher(options.key, {
  cluster: "",
  wsHost: options.host,
  wsPort: options.port,
  wsPath: options.path ?? "",
  forceTLS: false,
  enabledTransports: ["ws"],
  channelAuthorization: authorization,
  userAuthentication: authorization && { ...authorization, endpoint: options.authorization.user_endpoint },
});

pusher.connection.bind("state_change", ({ current }) => print({ kind: "state", state: current }));
pusher.connection.bind("error", (error) => print({ kind: "error", error }));

pusher.user.bind_global((event, data) => print({ kind: "user_event", event, data }));
pusher.user.watchlist.bind_global((event, data) => print({ kind: "watchlist", event, data }));

// Members are printed sorted, because their order is nobody's promise.
const members = ({ count, me, members }) => ({ count, me, ids: Object.keys(members).sort() });

const subscribe = (name) => {
  const channel = pusher.subscribe(name);
  channel.bind("pusher:subscription_succeeded", () =>
    print({ kind: "subscribed", channel: name, members: channel.members && members(channel.members) }),
  );
  channel.bind("pusher:subscription_error", ({ status }) => print({ kind: "refused", channel: name, status }));
  for (const event of options.events ?? []) {
    channel.bind(event, (data, metadata) => print({ kind: "bound", channel: name, event, data, user: metadata?.user_id }));
  }
  channel.bind_global((event, data) => {
    if (!event.startsWith("pusher:")) {
      print({ kind: "event", channel: name, event, data });
    } else if (!event.startsWith("pusher:subscription_succeeded") && !event.startsWith("pusher:subscription_error")) {
      print({ kind: event.slice("pusher:".length), channel: name, data });
    }
  });
};

const commands = {
  subscribe: ({ channel }) => subscribe(channel),
  unsubscribe: ({ channel }) => pusher.unsubscribe(channel),
  members: ({ channel }) => print({ kind: "members", ...members(pusher.channel(channel).members) }),
  trigger: ({ channel, event, data }) => print({ kind: "triggered", sent: pusher.channel(channel).trigger(event, data) }),
  signin: async () => {
    pusher.signin();
    await pusher.user.signinDonePromise;
    print({ kind: "signed_in", user: pusher.user.user_data });
  },
};

options.channels.forEach(subscribe);

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  commands[command.do](command);
}
process.exit(0);
