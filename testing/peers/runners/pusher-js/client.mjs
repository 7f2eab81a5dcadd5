// pusher-js under the benchmark: node client.mjs MODE PORT [COUNT]; see ../README.md for the modes and the output.

import { createInterface } from "node:readline";
import Pusher from "pusher-js";

const [mode, port, count = "1"] = process.argv.slice(2);
const host = process.env.BENCH_CA ? "localhost" : "127.0.0.1";
const tls = Boolean(process.env.BENCH_CA);

function connect() {
  return new Pusher("bench-key", {
    cluster: "",
    wsHost: host,
    wsPort: Number(port),
    wssPort: Number(port),
    wsPath: "/pusher",
    forceTLS: tls,
    enabledTransports: ["ws", "wss"],
    channelAuthorization: {
      transport: "ajax",
      endpoint: `${tls ? "https" : "http"}://${host}:${port}/api/v1/broadcasting/auth`,
      headers: { Authorization: "Bearer bench-token" },
    },
  });
}

function open() {
  const pusher = connect();
  return [pusher.subscribe("private-token.bench"), pusher.subscribe("private-user.42")];
}

if (mode === "sessions") {
  for (let session = 0; session < Number(count); session += 1) {
    const channels = open();
    await Promise.all(
      channels.map((channel) => new Promise((done) => channel.bind("pusher:subscription_succeeded", done))),
    );
  }
} else if (mode === "presence") {
  const pusher = connect();
  let changes = 0;
  const channels = Array.from({ length: Number(count) }, (_, room) => pusher.subscribe(`presence-room.${room}`));
  for (const channel of channels) {
    channel.bind("pusher:member_added", () => (changes += 1));
    channel.bind("pusher:member_removed", () => (changes += 1));
  }
  channels[0].bind("bench-end", () => {
    const wrong = channels.find((channel) => channel.members.count !== 100 || channel.members.me.id !== "member-0");
    if (wrong) throw new Error(`${wrong.members.count} members`);
    process.stdout.write(`done ${changes} 0\n`);
    changes = 0;
  });
} else {
  let events = 0;
  const times = mode === "times" ? [] : undefined;
  const [, channel] = open();
  channel.bind_global((event, data) => {
    if (event === "bench-end") {
      const lines = [`done ${events} 0`, ...(times ?? [])];
      process.stdout.write(`${lines.join("\n")}\n`, () => process.exit(0));
    } else if (!event.startsWith("pusher:")) {
      if (typeof data !== "object") throw new Error(`not parsed: ${data}`);
      events += 1;
      times?.push(process.hrtime.bigint());
    }
  });
}

const input = createInterface({ input: process.stdin });
input.on("line", () => {
  globalThis.gc?.();
  console.log("collected");
});
input.on("close", () => process.exit(0));
