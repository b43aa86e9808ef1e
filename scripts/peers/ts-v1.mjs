// The official TypeScript SDK v1 as a client (handshake revisions only). See scenario.mjs for what it does and prints.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";

import { REQUEST_TIMEOUT_MS, answers, capabilities, options, run } from "./scenario.mjs";

const { url, plan, headers } = options();
const client = new Client({ name: "peer-ts-v1", version: "1.0.0" }, { capabilities });
client.setRequestHandler(CreateMessageRequestSchema, answers["sampling/createMessage"]);
client.setRequestHandler(ElicitRequestSchema, answers["elicitation/create"]);
client.setRequestHandler(ListRootsRequestSchema, answers["roots/list"]);

const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });

await run(
  {
    async connect() {
      await client.connect(transport);
      return transport.protocolVersion;
    },
    async listTools() {
      const names = [];
      let cursor;
      do {
        const page = await client.listTools({ cursor });
        names.push(...page.tools.map((tool) => tool.name));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return names;
    },
    callTool: (name, args, onprogress) =>
      client.callTool({ name, arguments: args }, undefined, { onprogress, timeout: REQUEST_TIMEOUT_MS }),
    async close() {
      await transport.terminateSession();
      await client.close();
    },
  },
  plan,
);
