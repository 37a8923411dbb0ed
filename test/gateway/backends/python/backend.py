"""A backend of the pass-through suite on `websockets`: what it does follows from the path, as pass-through.ts says."""

import asyncio
import logging
import socket
import struct
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


class Raw(asyncio.Protocol):
    """Speaks to the network beneath a socket, so that no library answers in between."""

    def __init__(self, transport, query):
        self.transport = transport
        self.query = query
        self.over = asyncio.get_running_loop().create_future()
        if query["when"] == ["open"]:
            self.act()

    def data_received(self, _data):
        if self.query is not None:
            self.act()

    def act(self):
        then = self.query["then"]
        self.transport.write(bytes.fromhex(self.query.get("bytes", [""])[0]))
        self.query = None
        if then == ["end"]:
            self.transport.write_eof()
        elif then == ["reset"]:
            asyncio.get_running_loop().call_later(0.05, self.reset)

    def reset(self):
        linger = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()

    def connection_lost(self, _error):
        if not self.over.done():
            self.over.set_result(None)


async def raw(connection, query):
    transport = connection.transport
    protocol = Raw(transport, query)
    transport.set_protocol(protocol)
    await protocol.over
    connection.connection_lost(None)


BEHAVIOURS = {"/echo": echo, "/greet": greet, "/close": close, "/cut": cut, "/ping": ping, "/raw": raw}


async def behave(connection):
    url = urlsplit(connection.request.path)
    await BEHAVIOURS[url.path](connection, parse_qs(url.query))


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
