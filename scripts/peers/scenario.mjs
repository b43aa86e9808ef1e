// What every TypeScript client does against a server, whichever SDK it is built on.
//
// A client hands in a small adapter over its SDK; this file connects nothing itself. Each step prints one JSON line, so that the driver
// (scripts/test-peers) and a person see how far it came. The first step that fails prints the reason and ends the process with 1.
//
// The plan (--plan, JSON):
//   revision  the protocol revision that must be agreed on
//   call      {name, arguments, expect}: a plain call and a text its result must contain
//   progress  {name, arguments}: a call that must deliver at least one progress notification before its result
//   asks      [{name, arguments, method}]: calls during which the server must ask the client `method`
//   hidden    a tool the grant does not reach: absent from the list, and refused by name
// Every key but `call` may be left out. The token comes from PEER_TOKEN, never from an argument that `ps` would show.

import { parseArgs } from "node:util";

/** Milliseconds a single request may take. Far above what a loopback call needs; it only ends a hung run. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** What a client answers when the server asks. Counted by method in `asked`. */
export const asked = {};
const count = (method) => (asked[method] = (asked[method] ?? 0) + 1);

export const answers = {
  "sampling/createMessage": () => {
    count("sampling/createMessage");
    return { role: "assistant", model: "peer", content: { type: "text", text: "sampled by the peer" } };
  },
  "elicitation/create": () => {
    count("elicitation/create");
    return { action: "accept", content: { name: "Ana Peer" } };
  },
  "roots/list": () => {
    count("roots/list");
    return { roots: [{ uri: "file:///srv/peer", name: "peer" }] };
  },
};

/** What a client of the test declares, in every revision. */
export const capabilities = { sampling: {}, elicitation: {}, roots: {} };

/** The arguments of the process: the server's URL, the plan, and how the client negotiates. */
export function options() {
  const { values } = parseArgs({
    options: { url: { type: "string" }, plan: { type: "string" }, mode: { type: "string", default: "legacy" } },
  });
  const token = process.env.PEER_TOKEN;
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  return { url: new URL(values.url), plan: JSON.parse(values.plan), mode: values.mode, headers };
}

/** Runs the plan over `peer` and ends the process. */
export async function run(peer, plan) {
  try {
    await steps(peer, plan);
    say("done", {});
    await peer.close();
    process.exit(0);
  } catch (error) {
    say("failed", { error: String(error?.stack ?? error) });
    process.exit(1);
  }
}

async function steps(peer, plan) {
  const revision = await peer.connect();
  say("connected", { revision });
  if (plan.revision) check(revision === plan.revision, `agreed on ${revision}, not on ${plan.revision}`);

  const tools = await peer.listTools();
  say("listed", { tools });

  const text = textOf(await peer.callTool(plan.call.name, plan.call.arguments ?? {}));
  check(text.includes(plan.call.expect ?? ""), `the result of ${plan.call.name} is ${JSON.stringify(text)}`);
  say("called", { tool: plan.call.name, text });

  if (plan.progress) await withProgress(peer, plan.progress);
  for (const ask of plan.asks ?? []) {
    textOf(await peer.callTool(ask.name, ask.arguments ?? {}));
    check((asked[ask.method] ?? 0) > 0, `${ask.name} did not ask ${ask.method}`);
    say("asked", { tool: ask.name, method: ask.method });
  }
  if (plan.hidden) await refused(peer, plan.hidden, tools);
}

async function withProgress(peer, { name, arguments: args }) {
  let notifications = 0;
  textOf(await peer.callTool(name, args ?? {}, () => (notifications += 1)));
  check(notifications > 0, `${name} sent no progress notification`);
  say("progress", { tool: name, notifications });
}

async function refused(peer, name, tools) {
  check(!tools.includes(name), `${name} is outside the grant, but listed`);
  const result = await peer.callTool(name, {});
  const text = result.content?.[0]?.text ?? "";
  check(result.isError === true && text.startsWith("[denied]"), `${name} was not refused: ${JSON.stringify(result)}`);
  say("refused", { tool: name, text });
}

/** The text of a result that must not be an error. */
function textOf(result) {
  check(!result.isError, `the tool failed: ${JSON.stringify(result.content)}`);
  return (result.content ?? []).map((part) => part.text ?? "").join("\n");
}

function check(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

function say(step, facts) {
  console.log(JSON.stringify({ step, ...facts }));
}
