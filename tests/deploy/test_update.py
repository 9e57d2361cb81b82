"""An update of a server under load: the steps of docs/deploy/server.md, with the project's own units and script."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from config import with_psycopg
from tests.servers import create_database
from tests.servers.front_proxy import NAME, FrontProxy, start_proxy
from tests.servers.own_server import OwnServer, own_server
from tests.servers.redis import free_port
from tests.servers.visitors import Visitors, visiting
from tests.servers.waiting import wait_until
from tests.servers.web import accepts, production_environment

pytestmark = pytest.mark.thorough
VISITORS = 4
SECONDS = 15
MIGRATION = '''"""Add a column."""

import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = "{before}"


def upgrade():
    op.add_column("users", sa.Column("of_{name}", sa.String(50)))
    {then}


def downgrade():
    op.drop_column("users", "of_{name}")
'''


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with create_database() as url:
        yield url


@pytest.fixture(scope="module")
def server(database: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """Yield a server with a first release in service."""
    port = free_port()
    variables = production_environment(database, redis_url, port)
    variables |= {"BASE_URL": f"https://{NAME}", "SSL_DISABLE": "false", "PROXY_COUNT": "1"}
    with own_server(tmp_path_factory.mktemp("server"), variables, port) as server:
        first = server.update()
        assert first.returncode == 0, first.stderr
        wait_until(lambda: accepts(port))
        server.port = port
        yield server


@pytest.fixture(scope="module")
def proxy(server: OwnServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontProxy]:
    with start_proxy("nginx", tmp_path_factory.mktemp("proxy") / "nginx", server.port) as proxy:
        yield proxy


def test_three_releases_are_kept(server: OwnServer) -> None:
    releases = server.site / "releases"
    newest = max(release.name for release in releases.iterdir())
    for year in (2024, 2025):
        (releases / f"{year}0101T000000Z").mkdir()
    time.sleep(1.1)  # their names are times

    assert server.update().returncode == 0

    kept = sorted(releases.iterdir())
    assert [release.name for release in kept[:2]] == ["20250101T000000Z", newest]
    assert kept[2:] == [server.release()]


def test_an_update_loses_no_request_and_no_style(server: OwnServer, proxy: FrontProxy, database: str) -> None:
    before = server.release()
    visitors = Visitors(NAME, proxy.https_port, proxy.trust(), ["/", "/about", "/account/login"])
    with visiting(visitors, VISITORS):
        time.sleep(SECONDS / 5)
        change(server, "wider", "pass")
        result = server.update()
        time.sleep(SECONDS * 4 / 5)

    assert result.returncode == 0, result.stderr
    assert server.release() != before
    assert visitors.failed == []
    assert visitors.requests > 10 * VISITORS
    assert len(visitors.styles) == 2
    assert "of_wider" in columns(database)


def test_a_failed_migration_leaves_the_site_as_it_was(server: OwnServer, proxy: FrontProxy) -> None:
    before, process = server.release(), server.systemd.running("site-web.service")
    change(server, "failing", 'raise RuntimeError("not on this data")')

    assert server.update().returncode != 0

    assert server.release() == before
    assert server.systemd.running("site-web.service") is process
    visitors = Visitors(NAME, proxy.https_port, proxy.trust(), ["/"])
    with visiting(visitors, 1):
        wait_until(lambda: visitors.requests > 2)
    assert visitors.failed == []


def change(server: OwnServer, name: str, then: str) -> None:
    """Commit a release with a migration of this name, another style and another template."""
    migrations = server.project / "migrations"
    settings = Config()
    settings.set_main_option("script_location", str(migrations))
    head = ScriptDirectory.from_config(settings).get_current_head()
    (migrations / "versions" / f"{name}.py").write_text(MIGRATION.format(name=name, before=head, then=then))
    with (server.project / "app/assets/styles/_utilities.scss").open("a") as styles:
        styles.write(".another-release { color: red; }")
    template = server.project / "app/templates/main/about.html"
    template.write_text(template.read_text() + "{# of another release #}")
    server.commit()


def columns(database: str) -> set[str]:
    engine = sa.create_engine(with_psycopg(database))
    with closing(engine.connect()) as connection:
        found = {column["name"] for column in sa.inspect(connection).get_columns("users")}
    engine.dispose()
    return found
