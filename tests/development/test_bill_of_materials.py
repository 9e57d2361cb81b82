"""The list of what production runs: complete, in a known format, and free of licenses that bind."""

import json
from pathlib import Path

import pytest

from development import bill_of_materials
from development.bill_of_materials import Package, main, packages


def test_every_pinned_package_is_listed_with_its_license(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    main(str(target))
    bill = json.loads(target.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    flask = next(component for component in bill["components"] if component["name"] == "flask")
    assert flask["purl"] == f"pkg:pypi/flask@{flask['version']}"
    assert flask["licenses"] == [{"license": {"name": "BSD-3-Clause"}}]
    assert len(bill["components"]) > 40
    states_it_in_a_file_only = next(one for one in bill["components"] if one["name"] == "pyromark")
    assert states_it_in_a_file_only["licenses"] == [{"license": {"name": "MIT License"}}]


@pytest.mark.parametrize(
    ("license_name", "binds"),
    [
        ("MIT", False),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0", True),
        ("GNU General Public License v2 (GPLv2)", True),
    ],
)
def test_only_licenses_that_reach_further_bind(license_name: str, binds: bool) -> None:
    assert Package("x", "1", license_name).binds is binds


def test_a_binding_license_fails_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill_of_materials, "license_of", lambda name: "GPL-3.0" if name == "flask" else "MIT")
    with pytest.raises(SystemExit, match="flask"):
        main(str(tmp_path / "sbom.json"))


def test_markers_and_hashes_are_no_part_of_a_version() -> None:
    text = "flask==3.1.3 \\\n    --hash=sha256:aa\nbackports-zstd==1.8.0 ; python_full_version < '3.14' \\\n"
    assert [(package.name, package.version) for package in packages(text)] == [
        ("flask", "3.1.3"),
        ("backports-zstd", "1.8.0"),
    ]
