"""Encrypted connections: who is trusted, and through which proxy."""

import selectors
import socket

import pytest

from kseg.data.download.errors import DownloadError
from kseg.data.download.part import Part
from kseg.data.download.transfer import Patience, fetch
from tests.data.download.server import (
    Behaviour,
    Handler,
    make_certificate,
    serving,
)

BODY = bytes(range(256)) * 400
PATIENCE = Patience(attempts=2, wait=0.0, timeout=(5.0, 5.0))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def get(url, folder):
    part = Part(folder / "a.bin")
    fetch(url, part, max_bytes=10**9, patience=PATIENCE)
    return part.path.read_bytes()


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate, tmp_path):
    message = r"certificate is not trusted \(self.signed certificate\), so nothing was fetched; .*"
    with (
        serving(Behaviour({"/a": BODY}), certificate) as server,
        pytest.raises(DownloadError, match=message + "REQUESTS_CA_BUNDLE"),
    ):
        get(f"{server.url}/a", tmp_path)
    assert server.log == []
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_authority_of_ones_own_is_trusted(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate.cert)
    with serving(Behaviour({"/a": BODY}, drops=[90_000]), certificate) as server:
        assert get(f"{server.url}/a", tmp_path) == BODY
    assert [status for *_, status in server.log] == [200, 206]


def test_a_certificate_for_another_name_is_refused(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate.cert)
    with serving(Behaviour({"/a": BODY}), certificate) as server:
        url = server.url.replace("localhost", "127.0.0.1")
        with pytest.raises(
            DownloadError, match=r"certificate is not trusted \(IP address mismatch"
        ):
            get(f"{url}/a", tmp_path)


def test_a_ca_file_that_is_missing_is_named(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with (
        serving(Behaviour({"/a": BODY}), certificate) as server,
        pytest.raises(OSError, match=r"none\.pem"),
    ):
        get(f"{server.url}/a", tmp_path / "out")


def test_a_redirect_to_plain_http_is_refused(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate.cert)
    behaviour = Behaviour()
    with serving(Behaviour({"/a": BODY})) as plain, serving(behaviour, certificate) as server:
        behaviour.redirects["/a"] = f"{plain.url}/a"
        message = r"sends us on to http://localhost:\d+/a, which is not encrypted; that is refused"
        with pytest.raises(DownloadError, match=message):
            get(f"{server.url}/a", tmp_path)
    assert plain.log == []


def test_a_server_that_does_not_speak_tls_is_one_sentence(tmp_path):
    with serving(Behaviour({"/a": BODY})) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(DownloadError, match="the connection failed"):
            get(f"{url}/a", tmp_path)


class Proxy(Handler):
    """A proxy that connects to what it is asked for."""

    def do_CONNECT(self):  # noqa: N802
        host, port = self.path.split(":")
        self.server.behaviour.log.append(self.path)
        with socket.create_connection((host, int(port)), timeout=5) as there:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: there, there: self.connection}
            with selectors.DefaultSelector() as selector:
                for end in ends:
                    selector.register(end, selectors.EVENT_READ)
                self.pass_on(selector, ends)
        self.close_connection = True

    def pass_on(self, selector, ends):
        while True:
            for key, _ in selector.select(timeout=5) or [(None, 0)]:
                data = key.fileobj.recv(65536) if key else b""
                if not data:
                    return
                ends[key.fileobj].sendall(data)


def test_the_proxy_of_the_environment_is_used(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate.cert)
    behaviour = Behaviour({"/a": BODY})
    with (
        serving(behaviour, certificate) as server,
        serving(Behaviour(), handler=Proxy) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert get(f"{server.url}/a", tmp_path) == BODY
    assert proxy.log == [server.url.removeprefix("https://")]
