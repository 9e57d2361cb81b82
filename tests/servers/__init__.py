"""Real servers for tests: a queue, a mail server, a database."""

from tests.servers.mail_sink import start_mail_sink
from tests.servers.postgres import create_postgres_database
from tests.servers.redis import start_redis
from tests.servers.site_database import create_database, migrate

__all__ = ["create_database", "create_postgres_database", "migrate", "start_mail_sink", "start_redis"]
