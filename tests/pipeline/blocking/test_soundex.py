import pytest

from tamis.pipeline.blocking.soundex import soundex


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Robert", "R163"),
        ("Rupert", "R163"),
        ("Rubin", "R150"),
        ("Ashcraft", "A261"),
        ("Ashcroft", "A261"),
        ("Tymczak", "T522"),
        ("Pfister", "P236"),
        ("Honeyman", "H555"),
        ("Gutierrez", "G362"),
        ("Jackson", "J250"),
        ("VanDeusen", "V532"),
        ("Lee", "L000"),
        ("o'Hara", "O600"),
        ("Núñez", "N520"),
        ("Ångström", "A523"),
        ("7", ""),
        ("", ""),
        ("中", ""),
    ],
)
def test_codes(name, code):
    assert soundex(name) == code
