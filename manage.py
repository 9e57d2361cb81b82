#!/usr/bin/env python3
"""The command line: `python3 manage.py` lists what it can do.

On a bare machine it first makes `.venv` and installs the packages, then starts itself there (bootstrap.py).
"""

import os
import sys

# Also an older Python has to be able to read up to here.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "manage.py: Python 3.11 or newer is needed, and this is %d.%d. Install it from your system's packages "  # noqa: UP031
        "or https://www.python.org/downloads/, then name it: python3.13 manage.py dev" % sys.version_info[:2]
    )

import bootstrap


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    bootstrap.enter_virtual_environment(sys.argv)
    # Migrations, Procfile.local and pytest's settings are found from the project's own folder.
    os.chdir(bootstrap.ROOT)

    # Only now are the packages known to be there.
    try:
        from app import AREAS, areas, commands, create_app

        of_areas = areas.commands(AREAS)
    except Exception as error:
        # A saved mistake does not end the development server, which is the only one to load this.
        from development.web_server import show_until_saved

        show_until_saved(error)
        return

    # Only this command line develops unless told otherwise: a web server has to be told (FLASK_CONFIG).
    commands.command_line(lambda: create_app(os.environ.get("FLASK_CONFIG") or "development"), of_areas)()


if __name__ == "__main__":
    main()
