"""Addresses of the network that videos and cameras have: what they may be, and how they are shown."""

from __future__ import annotations

import re
import urllib.parse

NETWORK_SCHEMES = (
    "http", "https", "rtmp", "rtmps", "rtmpt", "rtp", "rtsp", "rtsps", "srt", "srtp", "tcp", "tls", "udp",
)  # fmt: skip
"""What an address may begin with."""

_VIDEO_SITES = (
    *("youtube.com", "youtu.be", "vimeo.com", "dailymotion.com", "twitch.tv", "tiktok.com", "bilibili.com"),
    *("facebook.com", "fb.watch", "instagram.com", "twitter.com", "x.com", "rumble.com"),
)
_WHOLE = re.compile(r"(\[[^]]*\]|[^:/]*)(:\d+)?/.*")  # host, port and path
_WRITTEN = "write rtsp://user:password@host:554/path, and in a password %2F for /, %23 for #, %3F for ?"
_MEDIA = (".m3u8", ".mpd", ".mp4", ".webm", ".ts", ".mkv", ".flv")


def is_video_site(url: str) -> bool:
    """Say whether an address is that of a page on a well-known site of videos."""
    host = (urllib.parse.urlsplit(url).hostname or "").lower()
    path = urllib.parse.urlsplit(url).path.lower()
    return any(host == site or host.endswith(f".{site}") for site in _VIDEO_SITES) and not path.endswith(_MEDIA)


def without_password(url: str) -> str:
    """Return the URL as it may be shown: without user and password, and the query, which may hold them.

    A password may hold a slash or a question mark that was not escaped: everything up to the last at sign goes, unless
    that stands in the query of an address that is whole without it.

    Examples
    --------
    >>> without_password("rtsp://admin:a/b@yard.local:554/main?token=1")
    'rtsp://yard.local:554/main'
    """
    scheme, mark, rest = url.partition("://")
    before, _, query = rest.partition("?")
    if "@" not in before and "@" in query and not _WHOLE.fullmatch(before):
        before = query
    return f"{scheme}{mark}{before.rpartition('@')[2].partition('?')[0]}"


def why_no_camera(url: str) -> str | None:
    """Say in half a line why an address can never be that of a camera; None where it can.

    Examples
    --------
    >>> why_no_camera("https://youtu.be/x")
    'it is a web page, not a camera'
    """
    if url.partition("://")[0].lower() not in NETWORK_SCHEMES:
        return f"it is no camera's address; give a URL of {', '.join(NETWORK_SCHEMES)}"
    try:
        parts = urllib.parse.urlsplit(url)
        named, _ = parts.netloc.rpartition("@")[2].strip(":"), parts.port
    except ValueError:  # whose text may hold a part of a password
        return f"its host and port are none; {_WRITTEN}"
    if not named:
        return "it names no host; write rtsp://host/path"
    return "it is a web page, not a camera" if is_video_site(url) else None
