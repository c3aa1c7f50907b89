"""A headless Chromium, driven over its debugging pipe: the standard library suffices.

    with Browser() as browser:
        browser.open("http://127.0.0.1:8000/")
        browser.wait("document.querySelector('h1')")
        browser.click("#predict")
        browser.screenshot("page.png")
"""

import base64
import contextlib
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def program():
    """$FORETELL_BROWSER, else the first of PROGRAMS that is installed."""
    for name in (os.environ.get("FORETELL_BROWSER"), *PROGRAMS):
        if name and shutil.which(name):
            return shutil.which(name)
    raise FileNotFoundError("no chromium; scripts/bootstrap test-all installs it, or name it in FORETELL_BROWSER")


class Browser:
    """One page. `messages` holds what its scripts wrote to the console and what the browser blocked or missed."""

    def __init__(self, width=1280, height=900, dark=False):
        self.size, self.dark = (width, height), dark
        self.messages, self.numbers, self.buffer = [], itertools.count(1), b""

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        to_read, to_write = os.pipe(), os.pipe()  # the browser reads from its descriptor 3 and writes to 4
        self.sink, self.source = to_read[1], to_write[0]

        def descriptors():
            # First out of the way, so that neither is overwritten before it is used.
            first, second = os.dup(to_read[0]), os.dup(to_write[1])
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [program(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
             "--force-color-profile=srgb", f"--user-data-dir={self.folder}",
             f"--window-size={self.size[0]},{self.size[1]}", "about:blank"],
            preexec_fn=descriptors, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder})
        os.close(to_read[0])
        os.close(to_write[1])
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=self.size[0], height=self.size[1], deviceScaleFactor=1,
                  mobile=False)
        if self.dark:
            self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            os.close(self.sink)  # it ends with its pipe
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.source)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- The protocol ----

    def receive(self, until):
        """The next message, which ends with a zero byte."""
        while b"\0" not in self.buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.source], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self.source, 1 << 20)
            if not part:
                raise ConnectionError("the browser has ended")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def note(self, message):
        """Keeps what a person would see in the console."""
        params = message.get("params", {})
        if message.get("method") == "Log.entryAdded":
            entry = params["entry"]
            self.messages.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")
        elif message.get("method") == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.messages.append("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif message.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.messages.append(f"{params['type']}: " + " ".join(str(a.get("value", a.get("description")))
                                                                   for a in params["args"]))

    def call(self, method, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.sink, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + 60
        while True:
            answer = self.receive(until)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.note(answer)

    # ---- What a person does ----

    def run(self, script):
        """The value of an expression in the page; promises are waited for."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, script, seconds=30):
        """Until the expression is true; its value."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = self.run(f"""(() => {{
                try {{ const value = {script}; return value instanceof Node ? true : value; }} catch {{ return null; }}
            }})()""")
            if value:
                return value
            time.sleep(0.05)
        raise TimeoutError(f"{script}\nnever became true; the page shows:\n{self.text()[:2000]}\n" +
                           "\n".join(self.messages))

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait(f"location.href.startsWith({json.dumps(url)}) && document.readyState == 'complete'")

    def text(self):
        return self.run("document.body.innerText")

    def click(self, selector):
        """With the mouse, in the middle of the element, which must be what lies there."""
        place = json.dumps(selector)
        x, y, hit = self.run(f"""(() => {{
            const element = document.querySelector({place});
            element.scrollIntoView({{block: "center", behavior: "instant"}});
            const box = element.getBoundingClientRect();
            const x = box.x + box.width / 2, y = box.y + box.height / 2;
            return [x, y, element.contains(document.elementFromPoint(x, y))];
        }})()""")
        if not hit:
            raise AssertionError(f"{selector} is covered by something else")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key, code=None, text=None):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13, " ": 32}.get(key, 0),
                      **({"text": text} if text and kind == "keyDown" else {}))

    def type(self, text):
        """Into what has the focus."""
        self.call("Input.insertText", text=text)

    def screenshot(self, path, whole=False):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))
