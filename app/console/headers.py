"""The headers of the console's files: what a browser may do with them, and what nothing may."""

from types import MappingProxyType


def _policy(*directives: str) -> str:
    return "; ".join(directives)


_CLOSED = ("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'")

_COMMON = {
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # A browser asks each time, and gets 304: an upgrade of the service is seen at once.
    "cache-control": "no-cache",
}

CONSOLE = MappingProxyType(
    {
        "content-security-policy": _policy(
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            "connect-src 'self'",
            *_CLOSED,
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ),
        **_COMMON,
    }
)
"""For the console. Photos and crops are shown from blobs of the page."""

DOCS = MappingProxyType(
    {
        # Swagger UI has icons in its style sheet, and knows no trusted types.
        "content-security-policy": _policy(
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            *_CLOSED,
        ),
        **_COMMON,
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
)
"""For the pages of the API's documentation."""
