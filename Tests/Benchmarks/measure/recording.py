# SPDX-License-Identifier: Apache-2.0
"""A proxy that keeps what a client sends, and a client that sends the same again."""

import http.client
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive")


@dataclass
class Exchange:
    """A request and the body of its answer."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    answer: bytes = b""

    @property
    def kind(self) -> str:
        """The operation of a JSON service, or the method."""
        operation = {name.lower(): value for name, value in self.headers.items()}.get("x-amz-target", "")
        return operation.split(".")[-1] or self.method


class RecordingProxy:
    """Stands between a client and a server. The Host header passes as it is, so that signatures stay right."""

    def __init__(self, endpoint: str):
        self.exchanges: list[Exchange] = []
        upstream = urlsplit(endpoint).netloc
        exchanges = self.exchanges

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.upstream = http.client.HTTPConnection(upstream)

            def finish(self) -> None:
                super().finish()
                self.upstream.close()

            def log_message(self, *_: object) -> None:
                pass

            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                exchange = Exchange(self.command, self.path, dict(self.headers.items()), body)
                exchanges.append(exchange)
                self.upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in exchange.headers.items():
                    self.upstream.putheader(name, value)
                self.upstream.endheaders(body or None)
                answer = self.upstream.getresponse()
                exchange.answer = answer.read()
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                length = answer.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(exchange.answer))
                self.send_header("Content-Length", length)
                self.end_headers()
                self.wfile.write(exchange.answer)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> "RecordingProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
