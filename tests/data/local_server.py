"""A web server on this machine that plays good and bad sources."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LocalServer:
    """Serves ``files``; ``/cut/NAME`` breaks off half-way, ``/hang/NAME`` stops half-way,
    ``/slow/NAME`` waits first; everything else is 404."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                how, _, name = self.path.partition("?")[0].strip("/").rpartition("/")
                content = files.get(name)
                if content is None:
                    self.send_error(404)
                    return
                if how == "slow":
                    time.sleep(0.5)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if how in ("cut", "hang"):
                    self.wfile.write(content[: len(content) // 2])
                    self.wfile.flush()
                    if how == "hang":
                        outer.hanging.set()
                        outer.stop.wait(30)
                else:
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.hanging = threading.Event()
        self.stop = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_port}"


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[LocalServer]:
    server = LocalServer(files)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        server.http.shutdown()
        server.http.server_close()
        thread.join()
