"""Which certificates of servers are trusted."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from ..errors import UsageError
from .meter import MeteredTlsSocket


def tls_context() -> ssl.SSLContext:
    """Verify certificates with the system's authorities, or with those that the environment names."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        named = os.environ.get(name)
        if named and not Path(named).exists():
            raise UsageError(f"{name} names {named}, which does not exist. Correct it, or unset it to use the system's certificates.")
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    try:
        if bundle:
            folder = Path(bundle).is_dir()
            context = ssl.create_default_context(cafile=None if folder else bundle, capath=bundle if folder else None)
        else:
            # Reads SSL_CERT_FILE and SSL_CERT_DIR by itself.
            context = ssl.create_default_context()
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"The certificates in {bundle or 'the system'} cannot be read: {error}. REQUESTS_CA_BUNDLE names a file in PEM format."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = MeteredTlsSocket
    return context
