"""An HTTP server whose only job is to say how Python reads what it is sent: one JSON line a request, the first line is the port.

It keeps a connection whatever `Connection` says, so that what is left behind a request is read as the next one.
"""

import json
import os
import socketserver
import sys
from http.server import BaseHTTPRequestHandler


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        try:
            self.close_connection = False
            while not self.close_connection:
                self.handle_one_request()
        except (OSError, ValueError):
            pass

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self):
        hosts = self.headers.get_all("Host") or []
        line = json.dumps({"method": self.command, "target": self.path, "hosts": hosts})
        # One write a line: there is a thread a connection.
        os.write(1, f"{line}\n".encode())
        self.read_body()
        self.close_connection = False
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self.rfile.read(size + 2)
            while self.rfile.readline().strip():
                pass
        else:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def log_message(self, *arguments):
        pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    sys.stdin.close()
    server.serve_forever()
