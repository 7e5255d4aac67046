"""What an output says of itself to people and to other tools: its dataset card and its Croissant description."""

import json
from pathlib import Path
from typing import Any

import yaml

from .card import NAME as CARD
from .card import card
from .counted import counted
from .croissant import croissant
from .manifest import read_manifest
from .mixture_file import NAME as MIXTURE
from .state import write_atomically

CROISSANT = "croissant.json"


def write_descriptions(folder: Path) -> None:
    """Write ``README.md`` and ``croissant.json`` from the manifest and the mixture of an output.

    Both are named after the folder, and say nothing else of where and when a run was.
    """
    manifest = read_manifest(folder)
    mixture: dict[str, Any] = yaml.safe_load((folder / MIXTURE).read_text(encoding="utf-8"))
    asked = mixture if manifest["settings"]["mixture"] else None
    write_atomically(folder / CARD, card(manifest, asked, name=folder.name))
    description = f"{counted(manifest['ledger']['emitted_rows'], 'row')} of text, sifted by Tamis."
    found = croissant(manifest, name=folder.name, description=description)
    write_atomically(folder / CROISSANT, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
