// Calls npm's server library of Pusher, one call for each line of stdin, and answers each with a line of JSON:
// {"ok": what it returned} or {"error": {"name", "status", "text"}}.
//
// The only argument is a JSON object: {app_id, key, secret, host, port, master_key}. A line of stdin is one of `calls` with
// its arguments, such as {"call": "trigger", "channels": ["news"], "event": "added", "data": {"id": 17}}.

import { createInterface } from "node:readline";
import Pusher from "pusher";

const options = JSON.parse(process.argv[2]);

const pusher = new Pusher({
  appId: options.app_id,
  key: options.key,
  secret: options.secret,
  host: options.host,
  port: options.port,
  useTLS: false,
  encryptionMasterKeyBase64: options.master_key,
});

const read = async (response) => (await response).json();

const get = (path, params) => read(pusher.get({ path, params }));

const calls = {
  trigger: ({ channels, event, data, socket_id, info }) =>
    read(pusher.trigger(channels, event, data, { ...(socket_id && { socket_id }), ...(info && { info }) })),
  trigger_batch: ({ batch }) => read(pusher.triggerBatch(batch)),
  channels: ({ prefix, info }) => get("/channels", { filter_by_prefix: prefix, info }),
  channel: ({ channel, info }) => get(`/channels/${channel}`, { info }),
  users: ({ channel }) => get(`/channels/${channel}/users`),
  send_to_user: ({ user, event, data }) => read(pusher.sendToUser(user, event, data)),
  terminate: ({ user }) => read(pusher.terminateUserConnections(user)),
  authorize: ({ socket_id, channel, member }) => pusher.authorizeChannel(socket_id, channel, member),
  authenticate: ({ socket_id, user }) => pusher.authenticateUser(socket_id, user),
};

const print = (record) => process.stdout.write(`${JSON.stringify(record)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    print({ ok: await calls[request.call](request) });
  } catch (error) {
    print({ error: { name: error.name, status: error.status, text: error.body ?? error.message } });
  }
}
