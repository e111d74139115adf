"""A real Chromium without a window, driven by the DevTools protocol over a pipe; and a server for a folder's files."""

import functools
import itertools
import json
import os
import select
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"),
    *("--disable-component-update", "--disable-background-networking", "--no-first-run", "about:blank"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),  # a drawn camera, and leave to use it
)
LONGEST = 60  # seconds that anything may take


class Chromium:
    """events: all messages that are no answers, of pages and workers alike"""

    def __init__(self, profile, *options):
        to_browser, from_browser = os.pipe(), os.pipe()
        command = [PROGRAM, *options, f"--user-data-dir={profile}", *OPTIONS]
        self._process = subprocess.Popen(
            command,
            pass_fds=(3, 4),
            preexec_fn=functools.partial(_give_pipes, to_browser[0], from_browser[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_browser[0]), os.close(from_browser[1])
        self._out, self._in, self._rest = to_browser[1], from_browser[0], b""
        self._numbers = itertools.count(1)
        self.events = []
        target = self.call("Target.createTarget", session=None, url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", session=None, targetId=target, flatten=True)["sessionId"]
        self._watch(self.session)
        for domain in ("Page", "Runtime", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method, *, session="page", **params):
        """The answer to a DevTools command; raises `RuntimeError` for an error, `TimeoutError` for none."""
        number = self._send(method, self.session if session == "page" else session, params)
        answer = self._wait(lambda message: message.get("id") == number, method)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, address):
        """Load a page, to its end."""
        self.evaluate("window.isLeft = true")
        self.call("Page.navigate", url=address)
        self.until(f"!window.isLeft && location.href === {json.dumps(address)} && document.readyState === 'complete'")

    def evaluate(self, expression, session="page"):
        """The value of a JavaScript expression, after what it promises, as if a person had just clicked."""
        how = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        found = self.call("Runtime.evaluate", session=session, expression=expression, **how)
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"])[:2000])
        return found["result"].get("value")

    def until(self, expression, longest=LONGEST):
        """Wait until an expression of the page is true; its value."""
        end, value = time.monotonic() + longest, None
        while not value and time.monotonic() < end:
            try:
                value = self.evaluate(expression)
            except RuntimeError:  # of a page that is just being loaded
                value = None
            time.sleep(0 if value else 0.05)
        if not value:
            raise TimeoutError(f"{expression}: {self.evaluate('document.body.innerText')}")
        return value

    def wait_for(self, find):
        """What `find()` gives, as soon as it is something."""
        end = time.monotonic() + LONGEST
        while not (found := find()) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def choose_files(self, selector, *paths):
        """As a person does in the dialog of an `<input type=file>`."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def worker(self, name):
        """The session of the worker that was started last from a script of this name."""
        started = [event["params"] for event in self.events if event["method"] == "Target.attachedToTarget"]
        return next(each["sessionId"] for each in started[::-1] if each["targetInfo"]["url"].endswith(name))

    def requests(self):
        """The address of every request that a page or worker made."""
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]

    def close(self):
        try:
            self.call("Browser.close", session=None)
            self._process.wait(10)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._out), os.close(self._in)

    def _watch(self, session):
        """See the requests of a page or worker, and of the workers it starts, from their first one on.

        Service workers are left out: one that waits for a debugger can hold a page back for ever.
        """
        self._send("Network.enable", session, {})
        workers = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        workers["filter"] = [{"type": "service_worker", "exclude": True}, {}]
        self._send("Target.setAutoAttach", session, workers)
        self._send("Runtime.runIfWaitingForDebugger", session, {})

    def _send(self, method, session, params):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return number

    def _wait(self, is_wanted, what):
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            while b"\0" in self._rest:
                text, _, self._rest = self._rest.partition(b"\0")
                message = json.loads(text)
                if "method" in message:
                    self.events.append(message)
                if message.get("method") == "Target.attachedToTarget" and message.get("sessionId"):
                    self._watch(message["params"]["sessionId"])
                if is_wanted(message):
                    return message
            if select.select([self._in], [], [], 1)[0]:
                read = os.read(self._in, 1 << 20)
                if not read:
                    raise OSError(f"{what}: Chromium has ended")
                self._rest += read
        raise TimeoutError(what)


def _give_pipes(reading, writing):
    """In the new process: Chromium reads commands from 3 and writes answers to 4."""
    reading, writing = os.dup(reading), os.dup(writing)
    os.dup2(reading, 3), os.dup2(writing, 4)


class _Quiet(SimpleHTTPRequestHandler):
    headers_more = ()

    def end_headers(self):
        for name, value in self.headers_more:
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *words):
        pass


@contextmanager
def served(folder, *headers):
    """The address of a folder, as `python -m http.server` serves it. headers: (name, value) of more of them"""
    handler = type("Handler", (_Quiet,), {"headers_more": headers})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
