"""A backend of the pass-through suite on `websockets`: what it does follows from the path, as pass-through.ts says."""

import asyncio
import logging
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve


async def echo(socket, _query):
    async for message in socket:
        await socket.send(message)


async def greet(socket, _query):
    for message in ("one", bytes([2]), "three"):
        await socket.send(message)
    await socket.wait_closed()


async def close(socket, query):
    await socket.send("before")
    if "code" in query:
        await socket.close(int(query["code"][0]), query.get("reason", [""])[0])
        return
    # close() always says a code.
    async with socket.send_context():
        socket.protocol.send_close()
    await socket.wait_closed()


async def cut(socket, _query):
    await socket.send("before")
    socket.transport.close()
    await socket.wait_closed()


async def ping(socket, _query):
    pong = await socket.ping("data")
    await pong
    await socket.send("pong data")
    await socket.wait_closed()


BEHAVIOURS = {"/echo": echo, "/greet": greet, "/close": close, "/cut": cut, "/ping": ping}


async def behave(socket):
    url = urlsplit(socket.request.path)
    await BEHAVIOURS[url.path](socket, parse_qs(url.query))


def refuse(connection, request):
    if request.path.startswith("/refuse"):
        return connection.respond(HTTPStatus.FORBIDDEN, "sorry")
    return None


def choose(_connection, offered):
    return next((name for name in ("b", "c") if name in offered), None)


async def main():
    # The gateway's health checks connect and say nothing, which it reports with a traceback.
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)
    options = {
        "process_request": refuse,
        "select_subprotocol": choose,
        "compression": None,
        "ping_interval": None,
        "max_size": None,
    }
    async with serve(behave, "127.0.0.1", 0, **options) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
