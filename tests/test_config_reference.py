"""``config/README.md`` says what the code reads."""

from pathlib import Path

import yaml

from dimlaws.plan.reference import reference, targets_named
from dimlaws.signature import read_signature

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "config"


def test_the_reference_is_up_to_date():
    written = (CONFIG / "README.md").read_text(encoding="utf-8")
    assert written == reference(CONFIG), "run: python -m dimlaws.plan.reference > config/README.md"


def test_every_key_has_its_default_and_a_meaning():
    text = reference(CONFIG)
    for target in set(targets_named(CONFIG)):
        if ".decoders." in target:
            continue
        section = text.partition(f"### `{target}`\n")[2].partition("\n#")[0]
        assert section, target
        for name in read_signature(target).parameters:
            (row,) = (line for line in section.splitlines() if line.startswith(f"| `{name}` |"))
            cells = [cell.strip() for cell in row.replace("\\|", "/").strip("|").split("|")]
            assert len(cells) == 4, row
            assert all(cells), f"{target}.{name} has no meaning: {row}"


def test_every_option_and_scale_is_listed():
    text = reference(CONFIG)
    for group in ("data", "model", "training", "measure", "scale"):
        for file in (CONFIG / group).glob("*.yaml"):
            assert f"\n| `{file.stem}` |" in text
            assert yaml.safe_load(file.read_text())
