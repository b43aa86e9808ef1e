// The official TypeScript SDK v2 as a client. See scenario.mjs for what it does and prints.
//
// --mode legacy    the handshake, the SDK's default
// --mode auto      server/discover first, the handshake if the server does not know it
// --mode DATE      that modern revision and no other, such as 2026-07-28

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

import { REQUEST_TIMEOUT_MS, answers, capabilities, options, run } from "./scenario.mjs";

const { url, plan, headers, mode } = options();
const negotiation = mode === "legacy" || mode === "auto" ? mode : { pin: mode };
const client = new Client(
  { name: "peer-ts-v2", version: "1.0.0" },
  { capabilities, versionNegotiation: { mode: negotiation } },
);
for (const [method, answer] of Object.entries(answers)) client.setRequestHandler(method, answer);

const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });

await run(
  {
    async connect() {
      await client.connect(transport);
      return client.getNegotiatedProtocolVersion();
    },
    async listTools() {
      // The SDK walks the pages itself.
      const { tools } = await client.listTools();
      return tools.map((tool) => tool.name);
    },
    callTool: (name, args, onprogress) =>
      client.callTool({ name, arguments: args }, { onprogress, timeout: REQUEST_TIMEOUT_MS }),
    async close() {
      await transport.terminateSession();
      await client.close();
    },
  },
  plan,
);
