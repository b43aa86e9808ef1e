"""The official Python SDK as a client: probes server/discover and falls back to the handshake (`--mode auto`, its default).

Does and prints the same as the TypeScript clients; scenario.mjs describes the plan. The token comes from PEER_TOKEN.
"""

import argparse
import asyncio
import collections
import json
import os
import sys
import traceback

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CreateMessageResult, ElicitResult, ListRootsResult, Root, TextContent

# Seconds a single request may take. Far above what a loopback call needs; it only ends a hung run.
REQUEST_TIMEOUT_S = 30.0


class Failed(Exception):
    """A step of the plan did not hold."""


def say(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


def check(holds, otherwise):
    if not holds:
        raise Failed(otherwise)


def text_of(result):
    check(not result.is_error, f"the tool failed: {result.content}")
    return "\n".join(getattr(part, "text", "") for part in result.content)


class Peer:
    """A connected client and what the server asked it so far."""

    def __init__(self):
        self.asked = collections.Counter()

    async def sample(self, context, params):
        self.asked["sampling/createMessage"] += 1
        content = TextContent(type="text", text="sampled by the peer")
        return CreateMessageResult(role="assistant", model="peer", content=content)

    async def elicit(self, context, params):
        self.asked["elicitation/create"] += 1
        return ElicitResult(action="accept", content={"name": "Ana Peer"})

    async def roots(self, context):
        self.asked["roots/list"] += 1
        return ListRootsResult(roots=[Root(uri="file:///srv/peer", name="peer")])

    async def run(self, url, headers, mode, plan):
        async with httpx2.AsyncClient(headers=headers, timeout=REQUEST_TIMEOUT_S) as http:
            client = Client(
                streamable_http_client(url, http_client=http),
                mode=mode,
                read_timeout_seconds=REQUEST_TIMEOUT_S,
                sampling_callback=self.sample,
                elicitation_callback=self.elicit,
                list_roots_callback=self.roots,
            )
            async with client:
                await self.steps(client, plan)

    async def steps(self, client, plan):
        revision = client.protocol_version
        say("connected", revision=revision)
        if "revision" in plan:
            check(revision == plan["revision"], f"agreed on {revision}, not on {plan['revision']}")

        tools = await all_tools(client)
        say("listed", tools=tools)

        call = plan["call"]
        text = text_of(await client.call_tool(call["name"], call.get("arguments", {})))
        check(call.get("expect", "") in text, f"the result of {call['name']} is {text!r}")
        say("called", tool=call["name"], text=text)

        if "progress" in plan:
            await with_progress(client, plan["progress"])
        for ask in plan.get("asks", []):
            text_of(await client.call_tool(ask["name"], ask.get("arguments", {})))
            check(self.asked[ask["method"]] > 0, f"{ask['name']} did not ask {ask['method']}")
            say("asked", tool=ask["name"], method=ask["method"])
        if "hidden" in plan:
            await refused(client, plan["hidden"], tools)
        say("done")


async def all_tools(client):
    names, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        names += [tool.name for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            return names


async def with_progress(client, step):
    seen = []

    async def on_progress(progress, total, message):
        seen.append(progress)

    text_of(await client.call_tool(step["name"], step.get("arguments", {}), progress_callback=on_progress))
    check(seen, f"{step['name']} sent no progress notification")
    say("progress", tool=step["name"], notifications=len(seen))


async def refused(client, name, tools):
    check(name not in tools, f"{name} is outside the grant, but listed")
    result = await client.call_tool(name, {})
    text = getattr(result.content[0], "text", "") if result.content else ""
    check(result.is_error and text.startswith("[denied]"), f"{name} was not refused: {result}")
    say("refused", tool=name, text=text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--plan", required=True, type=json.loads)
    parser.add_argument("--mode", default="auto", help="auto, legacy, or a modern revision such as 2026-07-28")
    options = parser.parse_args()
    token = os.environ.get("PEER_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        asyncio.run(Peer().run(options.url, headers, options.mode, options.plan))
    except BaseException:
        say("failed", error=traceback.format_exc())
        sys.exit(1)


if __name__ == "__main__":
    main()
