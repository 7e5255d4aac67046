"""Secrets in what is shown: passwords and signatures in URLs, and settings that are secret by their name."""

import re
from typing import Any

HIDDEN = "***"

_PASSWORD = re.compile(r"(\w[\w+.-]*://[^/@\s:]*):[^/@\s]*@")
_SIGNED = re.compile(
    r"([?&][^=&\s]*(?:signature|credential|token|secret|password|key|sig)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE
)
_NAMES = re.compile(r"password|passphrase|secret|token|credential|(?:access|api|account)[._-]?key", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return a text without the secrets in the URLs that it holds.

    >>> redacted("cannot open ftp://me:hunter2@host/a and https://host/b?X-Amz-Signature=f00&part=1")
    'cannot open ftp://me:***@host/a and https://host/b?X-Amz-Signature=***&part=1'
    """
    return _SIGNED.sub(rf"\1{HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", text))


def redacted_settings(value: Any, name: str = "") -> Any:
    """Return settings without secrets: those in URLs, and values whose name says that they are one.

    >>> redacted_settings({"path": "s3://k:s@bucket", "conf": {"fs.s3a.secret.key": "s"}})
    {'path': 's3://k:***@bucket', 'conf': {'fs.s3a.secret.key': '***'}}
    """
    if isinstance(value, dict):
        return {key: redacted_settings(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted_settings(item, name) for item in value]
    if isinstance(value, str):
        return HIDDEN if _NAMES.search(name) else redacted(value)
    return value
