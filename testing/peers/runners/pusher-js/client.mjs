// pusher-js under the benchmark: node client.mjs MODE PORT [COUNT]; see ../README.md for the modes and the output.

import { createInterface } from "node:readline";
import Pusher from "pusher-js";

const [mode, port, count = "1"] = process.argv.slice(2);
const host = process.env.BENCH_CA ? "localhost" : "127.0.0.1";
const tls = Boolean(process.env.BENCH_CA);

function open() {
  const pusher = new Pusher("bench-key", {
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
  return [pusher.subscribe("private-token.bench"), pusher.subscribe("private-user.42")];
}

if (mode === "sessions") {
  for (let session = 0; session < Number(count); session += 1) {
    const channels = open();
    await Promise.all(
      channels.map((channel) => new Promise((done) => channel.bind("pusher:subscription_succeeded", done))),
    );
  }
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
