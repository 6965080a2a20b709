"""Network cameras on loopback whose behaviour, and misbehaviour, a test chooses."""

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import cycle

import av
import cv2
import numpy as np

from entities import Image

Act = Callable[["Connection"], None]
"""What a camera does on one connection, after it has read the request."""


class Connection:
    """One client of a camera, from the camera's side."""

    def __init__(self, client: socket.socket, stopped: threading.Event) -> None:
        self._client = client
        self._stopped = stopped
        self.request = b""

    def read_request(self) -> bool:
        """Read one request's header into `request`; return whether there was one."""
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            byte = self._client.recv(1)
            if not byte:
                return False
            data += byte
        self.request = data
        return True

    def send(self, data: bytes) -> None:
        """Send bytes; raises OSError once the client has gone."""
        self._client.sendall(data)

    def send_datagram(self, data: bytes, port: int) -> None:
        """Send bytes to a UDP port of the client's computer."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(data, ("127.0.0.1", port))

    def pause(self, seconds: float) -> None:
        """Let time pass as between two pictures; raises ConnectionError once the camera is switched off."""
        if self._stopped.wait(seconds):
            raise ConnectionError

    def hang(self) -> None:
        """Say nothing more until the camera is switched off."""
        self._stopped.wait()


class NetworkCamera:
    """Serves one act after the other, a connection each; the last one for all that follow."""

    def __init__(self, acts: Sequence[Act], port: int = 0) -> None:
        self._acts = list(acts)
        self._stopped = threading.Event()
        self._server = socket.create_server(("127.0.0.1", port))
        self.port: int = self._server.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Switch the camera off."""
        self._stopped.set()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            act = self._acts[min(self.connections, len(self._acts) - 1)]
            self.connections += 1
            threading.Thread(target=self._serve, args=(client, act), daemon=True).start()

    def _serve(self, client: socket.socket, act: Act) -> None:
        connection = Connection(client, self._stopped)
        try:
            if connection.read_request():
                self.requests.append(connection.request)
                act(connection)
        except OSError:
            pass  # the client has gone, as a client may
        finally:
            client.close()


@contextmanager
def network_camera(*acts: Act, port: int = 0) -> Iterator[NetworkCamera]:
    """Switch a camera on for as long as a test needs it."""
    camera = NetworkCamera(acts, port)
    try:
        yield camera
    finally:
        camera.close()


def free_port() -> int:
    """Return a port at which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def plain_picture(level: int, width: int = 64, height: int = 48) -> Image:
    """Return a picture of one brightness, by which a test knows it again."""
    return np.full((height, width, 3), level, np.uint8)


def jpeg_part(image: Image) -> bytes:
    """Return a picture as one part of an MJPEG stream."""
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)


def mjpeg(*acts: Act) -> Act:
    """Return an act that answers with an MJPEG stream, in which these acts follow one another."""

    def act(connection: Connection) -> None:
        connection.send(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")
        for one in acts:
            one(connection)

    return act


def shows(*levels: int, width: int = 64, height: int = 48, fps: float = 50, forever: bool = False) -> Act:
    """Return an act that shows pictures of these brightnesses, once or again and again."""

    def act(connection: Connection) -> None:
        for level in cycle(levels) if forever else levels:
            connection.send(jpeg_part(plain_picture(level, width, height)))
            connection.pause(1 / fps)

    return act


def stalls(connection: Connection) -> None:
    """Send half a picture, then nothing."""
    part = jpeg_part(plain_picture(99))
    connection.send(part[: len(part) // 2])
    connection.hang()


def sends_garbage(connection: Connection) -> None:
    """Send noise where pictures should be."""
    connection.send(np.random.default_rng(1).bytes(200_000))


def says(status: str) -> Act:
    """Return an act that answers with an HTTP status and no picture."""
    return lambda connection: connection.send(f"HTTP/1.0 {status}\r\nContent-Length: 0\r\n\r\n".encode())


def serves_rtsp(levels: Sequence[int], *, fps: float = 50, refuses: str = "", udp: bool = False) -> Act:
    """Return an act that shows pictures over RTSP (RFC 2326), as H.264 in RTP (RFC 6184).

    Args:
        levels: Their brightnesses.
        fps: How many are sent a second.
        refuses: The status with which a client that wants RTP in the same connection is refused; mostly none is.
        udp: Whether RTP goes to the client's UDP port.

    """

    def act(connection: Connection) -> None:
        playing, port = False, 0
        while not playing:
            method, url, _ = connection.request.decode().split(" ", 2)
            headers = dict(line.split(": ", 1) for line in connection.request.decode().splitlines()[1:] if line)
            status = "200 OK"
            if method == "SETUP" and refuses and "TCP" in headers["Transport"]:
                status = refuses
            elif method == "SETUP" and udp:
                port = int(re.findall(r"client_port=(\d+)", headers["Transport"])[0])
            playing = method == "PLAY"
            connection.send(
                f"RTSP/1.0 {status}\r\nCSeq: {headers['CSeq']}\r\n{_rtsp_answer(method, url, port)}".encode()
            )
            if not playing and not connection.read_request():
                return
        for sequence, packet in enumerate(rtp_packets(levels, fps)):
            header = packet[:2] + sequence.to_bytes(2, "big") + packet[4:]
            if port:
                connection.send_datagram(header, port)
            else:
                connection.send(b"$\x00" + len(header).to_bytes(2, "big") + header)
            if packet[1] & 0x80:  # the last packet of a picture
                connection.pause(1 / fps)
        connection.hang()

    return act


def _rtsp_answer(method: str, url: str, port: int) -> str:
    """Return the rest of an answer's header, and its body; RTP goes to the UDP port, or for 0 into the connection."""
    if method == "OPTIONS":
        return "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
    if method == "DESCRIBE":
        body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
        body += "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track0\r\n"
        more = f"Content-Base: {url}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        return f"{more}\r\n{body}"
    if method == "SETUP":
        way = f"RTP/AVP;unicast;client_port={port}-{port + 1};server_port=6970-6971"
        return f"Transport: {way if port else 'RTP/AVP/TCP;unicast;interleaved=0-1'}\r\nSession: 1\r\n\r\n"
    return "\r\n"


def rtp_packets(levels: Sequence[int], fps: float) -> Iterator[bytes]:
    """Yield H.264 pictures as RTP packets, each with sequence number 0; every picture is a key frame."""
    coder = av.CodecContext.create("libx264", "w")
    assert isinstance(coder, av.VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt, coder.framerate = 64, 48, "yuv420p", Fraction(fps)
    coder.options = {"tune": "zerolatency", "preset": "ultrafast", "x264-params": "keyint=1:slices=1"}
    for index, level in enumerate(levels):
        frame = av.VideoFrame.from_ndarray(plain_picture(level), format="bgr24").reformat(format="yuv420p")
        stamp = round(90_000 * index / fps).to_bytes(4, "big")
        for packet in coder.encode(frame):
            units = [unit.rstrip(b"\x00") for unit in bytes(packet).split(b"\x00\x00\x01")[1:]]
            for unit in units:
                last = 0x80 if unit is units[-1] else 0
                yield bytes([0x80, 96 | last, 0, 0]) + stamp + b"\x00\x00\x00\x01" + unit
