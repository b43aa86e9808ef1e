// A small server on the official TypeScript SDK v2, for the modern revision (2026-07-28), which server-everything does not speak.
//
// Its tools cover what the test plans ask of a modern server: a plain answer, progress during a call, and a result that first requires
// input from the client. `forbidden` is the tool that no test grant reaches. With PEER_SECRET set it answers 401 to anybody who does not
// present it as a bearer credential, as a real upstream would. Listens on a loopback port that the system chooses and prints it.

import { createServer } from "node:http";

import { toNodeHandler } from "@modelcontextprotocol/node";
import { McpServer, acceptedContent, createMcpHandler, fromJsonSchema, inputRequired } from "@modelcontextprotocol/server";

/** Progress notifications of one `count` call. */
const STEPS = 3;

const text = (value) => ({ content: [{ type: "text", text: value }] });
const schema = (properties) => fromJsonSchema({ type: "object", properties });

function build() {
  const server = new McpServer({ name: "modern-peer", version: "1.0.0" });
  server.registerTool(
    "echo",
    { description: "Says it again.", inputSchema: schema({ message: { type: "string" } }) },
    async ({ message }) => text(`Echo: ${message}`),
  );
  server.registerTool(
    "count",
    { description: "Reports progress while it works.", inputSchema: schema({}) },
    async (_args, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= STEPS && progressToken !== undefined; progress += 1) {
        await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: STEPS } });
      }
      return text(`counted to ${STEPS}`);
    },
  );
  server.registerTool(
    "greet",
    { description: "Asks for a name first.", inputSchema: schema({}) },
    async (_args, ctx) => {
      const answer = acceptedContent(ctx.mcpReq.inputResponses, "who");
      if (answer !== undefined) return text(`Hello, ${answer.name}`);
      const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
      return inputRequired({ inputRequests: { who: inputRequired.elicit({ message: "Who is there?", requestedSchema }) } });
    },
  );
  server.registerTool(
    "forbidden",
    { description: "No test grant reaches this.", inputSchema: schema({}) },
    async () => text("this must never be seen"),
  );
  return server;
}

const serve = toNodeHandler(createMcpHandler(build));
const secret = process.env.PEER_SECRET;

const http = createServer((request, response) => {
  if (secret && request.headers.authorization !== `Bearer ${secret}`) {
    response.writeHead(401, { "www-authenticate": "Bearer" }).end();
    return;
  }
  serve(request, response);
});
http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ listening: http.address().port })));
process.on("SIGTERM", () => process.exit(0));
