"""Security headers of all answers to browsers, and the recognition of browsers."""

from __future__ import annotations

from collections.abc import Mapping

#: Everything is from this server; nothing is inline, framed or sent elsewhere.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would hide the Origin of forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

#: Pages show the state of now.
FRESH: Mapping[str, str] = {**SECURITY, "Cache-Control": "no-store", "Vary": "Accept"}


def wants_page(headers: Mapping[str, str]) -> bool:
    """Returns whether a request comes from a browser that shows a page; scripts want JSON."""
    return "text/html" in headers.get("accept", "")
