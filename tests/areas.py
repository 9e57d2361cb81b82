"""What the areas of ``app.AREAS`` bring to the tests' tables, those of a fork included.

An area's rows stand in its own folder, ``tests/<area>/routes.py``:

    WHO = {USERS: "notes.index notes.new_note"}

and, when an address names one of its rows, a function that makes one which belongs to ``user``:

    def sample_rows(user: User) -> dict[str, object]:
        ...
        return {"note_id": note.id}
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from app import AREAS, areas
from app.access import Rule
from app.areas import Area
from app.email import catalog
from app.kit.core.environment import Environment
from app.kit.jobs.queue import Job, jobs
from app.models import User

TESTS = Path(__file__).parent
# Loaded first: emails and jobs are known once their modules are imported.
LOADED: dict[str, Area] = dict(zip(AREAS, areas.load(AREAS), strict=True))
EMAILS: list[str] = sorted(catalog.emails)
JOBS: list[Job] = [job for job in jobs if job.path.startswith("app.")]
ROUTES: list[ModuleType] = [
    import_module(f"tests.{name}.routes") for name in AREAS if (TESTS / name / "routes.py").exists()
]


def rules() -> dict[str, Rule]:
    """Return who may open which endpoint, as the areas' own tables say."""
    return {
        endpoint: rule for module in ROUTES for rule, endpoints in module.WHO.items() for endpoint in endpoints.split()
    }


def sample_rows(user: User) -> dict[str, list[object]]:
    """Make a row of each area that has some for addresses; return what addresses may name."""
    makers = [module.sample_rows for module in ROUTES if hasattr(module, "sample_rows")]
    return {name: [value] for make in makers for name, value in make(user).items()}


def settings() -> dict[str, str]:
    """Return the settings that areas read, each with the name of its area."""
    found = {}
    for name, area in LOADED.items():
        environment = Environment({})
        if area.settings:
            area.settings(environment)
        found.update(dict.fromkeys(environment.names, name))
    return found
