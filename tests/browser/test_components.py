"""Each part of the components page looks as in its picture in the folder components/."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.browser.component_pictures import COMMAND, Pictures, differences, references, write
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.thorough

FOLDER = Path(__file__).parents[2] / "instance" / "components"


@pytest.mark.skipif(sys.platform != "linux", reason="the pictures show the form controls of Chromium on Linux")
def test_every_part_looks_as_in_its_picture(visitor: Visitor) -> None:
    found = differences(visitor, references())
    if found:
        pytest.fail(report(found))


def report(found: dict[str, Pictures]) -> str:
    """Save the pictures of what differs; return where they are and what to do."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, pictures in found.items():
        for kind, picture in pictures.items():
            write(FOLDER / f"{name}-{kind}.png", picture)
    return (
        f"/dev/components looks different: {', '.join(sorted(found))}. See {FOLDER}, where *-difference.png marks what"
        f" differs from tests/browser/components. If that is how it should look: {COMMAND}"
    )
