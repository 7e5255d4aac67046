import pickle

import pytest

from tamis.hashing.errors import InputError
from tamis.hashing.redaction import redacted, redacted_settings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ftp://me:hunter2@host/a", "ftp://me:***@host/a"),
        ("two: s3://k:s@b and sftp://u:p@h/x", "two: s3://k:***@b and sftp://u:***@h/x"),
        (
            "https://h/a?X-Amz-Credential=x&X-Amz-Signature=f00&part=1",
            "https://h/a?X-Amz-Credential=***&X-Amz-Signature=***&part=1",
        ),
        ("https://h/a?sv=2020&sig=abc%3D", "https://h/a?sv=2020&sig=***"),
        ("https://h/a?apikey=1", "https://h/a?apikey=***"),
        ("s3://bucket/plain?versionId=7", "s3://bucket/plain?versionId=7"),
        ("user@host and http://host:80/a", "user@host and http://host:80/a"),
    ],
)
def test_urls(text, shown):
    assert redacted(text) == shown


def test_settings():
    settings = {
        "inputs": [{"path": "s3://k:s@b/x"}],
        "spark": {"conf": {"spark.hadoop.fs.s3a.access.key": "k", "spark.ssl.keyPassword": "p", "spark.app.name": "n"}},
        "columns": {"text": "text"},
        "seed": 7,
    }
    assert redacted_settings(settings) == {
        "inputs": [{"path": "s3://k:***@b/x"}],
        "spark": {
            "conf": {"spark.hadoop.fs.s3a.access.key": "***", "spark.ssl.keyPassword": "***", "spark.app.name": "n"}
        },
        "columns": {"text": "text"},
        "seed": 7,
    }


def test_errors_show_no_secrets_and_keep_values_that_are_no_text():
    error = InputError("a URL opens", value="ftp://me:hunter2@host/a: no", remedy="Try again.")
    assert "hunter2" not in f"{error} {error.value} {error.args}"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert InputError("a number", value=7, remedy="Change it.").value == 7
