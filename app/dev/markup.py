"""The samples of the components page. Each is a template, shown rendered and as markup to copy."""

import re
from dataclasses import dataclass
from typing import Any

from flask import current_app, render_template
from markupsafe import Markup

from app.dev.readable_html import readable

# A copied token would be refused, and look like a secret.
TOKEN = re.compile(r"""((?:csrf_token" value|data-token)=")[^"]+""")


@dataclass(frozen=True)
class Sample:
    """A rendered component."""

    name: str
    template: str
    drawn: Markup

    @property
    def html(self) -> str:
        """The rendered HTML, indented and without tokens."""
        return readable(TOKEN.sub(r"\1…", self.drawn))


def sample(name: str, **values: Any) -> Sample:
    """Return the sample ``name`` of ``templates/dev/components/``, rendered with ``values``."""
    template = current_app.jinja_env.get_template(f"dev/components/{name}.html")
    drawn = Markup(render_template(template, **values))  # noqa: S704  # a template of our own, which escapes values
    return Sample(name, _source_of(template.name or ""), drawn)


def _source_of(name: str) -> str:
    loader = current_app.jinja_env.loader
    return loader.get_source(current_app.jinja_env, name)[0].strip() if loader else ""
