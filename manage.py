#!/usr/bin/env python3
"""The command line. `python3 manage.py` lists its commands.

On a new machine it first creates `.venv` and installs the packages, then starts itself there (bootstrap.py).
"""

import os
import sys

# The code up to here must be valid in older versions of Python.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "manage.py: Python 3.11 or newer is needed, and this is %d.%d. Install it from your system's packages "  # noqa: UP031
        "or https://www.python.org/downloads/, then name it: python3.13 manage.py dev" % sys.version_info[:2]
    )

import bootstrap


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    bootstrap.enter_virtual_environment(sys.argv)
    # Migrations, Procfile.local and pytest's settings are relative to the project's folder.
    os.chdir(bootstrap.ROOT)

    # Imported here because the packages may just have been installed.
    try:
        from app import AREAS, areas, commands, create_app

        of_areas = areas.commands(AREAS)
    except Exception as error:
        # An error in a saved file must not stop the development server, so it shows the error until the next save.
        from development.web_server import show_until_saved

        show_until_saved(error)
        return

    # Only this command line defaults to development. A web server needs FLASK_CONFIG.
    commands.command_line(lambda: create_app(os.environ.get("FLASK_CONFIG") or "development"), of_areas)()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
