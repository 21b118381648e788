"""A browser without a screen: plain HTTP with a cookie, and what a browser says of itself."""

import http.client
import re
import urllib.parse
from dataclasses import dataclass

FORM = "application/x-www-form-urlencoded"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str


class Browser:
    """Keeps the cookie and says of itself what a browser says."""

    def __init__(self, address: str) -> None:
        self.url = urllib.parse.urlsplit(address)
        self.home = "/" + self.url.path.split("/")[1] + "/"
        self.cookie = ""

    def request(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        sent = {"Host": self.url.netloc, "Cookie": self.cookie}
        if method == "POST":
            sent |= {"Content-Type": FORM, "Origin": f"http://{self.url.netloc}", "Sec-Fetch-Site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.url.port or 0, timeout=20)
        try:
            connection.request(method, path, body, {name: value for name, value in sent.items() if value})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read().decode())
        finally:
            connection.close()

    def open(self, **headers: str) -> Answer:
        """Exchange the token; the cookie is kept."""
        answer = self.request("GET", self.url.path, **headers)
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def show(self) -> Answer:
        return self.request("GET", self.home)

    def fill(self, verdict: str, **fields: str) -> str:
        """The form of the page as it stands, filled in."""
        page = self.show().text
        found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("csrf", "digest")}
        values = {name: match[1] for name, match in found.items() if match}
        return urllib.parse.urlencode({**values, "verdict": verdict, **fields})

    def answer(self, verdict: str, **fields: str) -> Answer:
        return self.request("POST", f"{self.home}answer", self.fill(verdict, **fields))
