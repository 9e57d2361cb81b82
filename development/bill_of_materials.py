"""The packages of production, and their licenses.

`python -m development.bill_of_materials FILE` prints the list, writes it to FILE in the CycloneDX
format (ECMA-424), and exits with 1 if a license would apply to a fork's own code.
"""

import json
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files, metadata
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).parent.parent / "requirements" / "common.txt"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
# Any program may use a library under the LGPL, but not one under the GPL or AGPL.
BINDING = re.compile(r"(?<![L\w])A?GPL|(?<!Lesser )General Public", re.IGNORECASE)
NOT_HERE = "not needed on this machine"


@dataclass(frozen=True)
class Package:
    """One pinned requirement."""

    name: str
    version: str
    license: str

    @property
    def binds(self) -> bool:
        """Whether the license would apply to a fork's own code."""
        return BINDING.search(self.license) is not None

    def component(self) -> dict[str, Any]:
        """Return the package as an entry of the bill."""
        return {
            "type": "library",
            "name": self.name,
            "version": self.version,
            "purl": f"pkg:pypi/{self.name}@{self.version}",
            "licenses": [{"license": {"name": self.license}}],
        }


def packages(requirements: str) -> list[Package]:
    """Return the packages that a compiled requirements file pins."""
    return [Package(name, version, license_of(name)) for name, version in PINNED.findall(requirements)]


def license_of(name: str) -> str:
    """Return the license of an installed package, from the most precise of its three metadata fields."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return NOT_HERE
    classifiers = [text.rpartition(" :: ")[2] for text in about.get_all("Classifier", []) if "License ::" in text]
    texts = [about.get("License-Expression"), " or ".join(classifiers), about.get("License", "").partition("\n")[0]]
    return next((text for text in texts if text), _title_of_license_file(name))


def _title_of_license_file(name: str) -> str:
    """Return the first line of the package's license file, for the few that state it nowhere else."""
    found = [path for path in files(name) or [] if path.name in {"LICENSE", "LICENSE.txt", "LICENSE.md"}]
    return next((path.read_text().strip().partition("\n")[0] for path in found), "unknown")


def bill(listed: list[Package]) -> dict[str, Any]:
    """Return the bill of materials as CycloneDX 1.6."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [package.component() for package in listed],
    }


def main(target: str) -> None:
    """Print the licenses, write the bill to `target`, and exit with 1 if one is binding or unknown."""
    listed = packages(REQUIREMENTS.read_text())
    for package in listed:
        sys.stdout.write(f"{package.name:24} {package.version:14} {package.license}\n")
    Path(target).write_text(json.dumps(bill(listed), indent=2) + "\n")
    binding = [package.name for package in listed if package.binds or package.license == "unknown"]
    if binding:
        sys.exit(f"Look at the licenses of: {', '.join(binding)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
