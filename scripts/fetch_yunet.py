"""Fetch YuNet's weights from OpenCV Zoo's repository on GitHub, once: `make yunet`.

They are under the MIT licence (Copyright (c) 2020 Shiqi Yu). Nothing else in this project asks another host.
"""

import sys
from pathlib import Path
from typing import Final

import pooch
from pooch import HTTPDownloader
from requests import RequestException

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config import DetectorSettings
from errors import FacialExpressionError
from vision.detectors.yunet import SHA256

URL: Final = (
    "https://github.com/opencv/opencv_zoo/raw/82b38c8f98e7b52aa171400f3e4c722352d0669f/"
    "models/face_detection_yunet/face_detection_yunet_2023mar.onnx"
)
SILENCE: Final = 10.0
"""Seconds without an answer, or without more of it, after which it is given up."""


class FetchError(FacialExpressionError):
    """The file could not be fetched; the message says what to do."""


def fetch(url: str, target: Path, silence: float = SILENCE) -> None:
    """Download the weights into a file, which is there whole and checked, or not at all; shows progress.

    Raises:
        FetchError: No answer, an error, another file, or no room for it.

    """
    by_hand = f"Or download it elsewhere, and put it at {target}:\n  {url}"
    try:
        pooch.get_logger().setLevel("ERROR")
        downloader = HTTPDownloader(progressbar=True, timeout=silence)
        pooch.retrieve(url, f"sha256:{SHA256}", fname=target.name, path=target.parent, downloader=downloader)
    except RequestException as error:
        reason = type(error).__name__ if error.response is None else f"HTTP status {error.response.status_code}"
        raise FetchError(
            f"YuNet's weights could not be fetched ({reason}). Check the network, and a proxy in HTTPS_PROXY if there "
            f"is one, and try again. {by_hand}"
        ) from error
    except ValueError as error:  # the sum is another
        raise FetchError(
            "What was answered is not the file of YuNet's weights: a proxy's page, perhaps, that asks you to log in. "
            f"Open the address in a browser to see. {by_hand}"
        ) from error
    except OSError as error:
        raise FetchError(f"YuNet's weights cannot be written to {target} ({error.strerror}).") from error


def main() -> int:
    """Run the command; return its exit status."""
    target = DetectorSettings().weights
    try:
        fetch(URL, target)
    except FetchError as error:
        print(f"{error}\nThe app works without it: Haar finds the faces.", file=sys.stderr)
        return 1
    print(f"YuNet's weights are in {target.parent}; they are used from the next start on.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
