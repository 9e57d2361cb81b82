"""The extension objects. ``create_app`` binds them to an application."""

from flask_caching import Cache
from flask_compress import Compress
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy

from app.kit.auth.csrf import MaskedCSRFProtect
from app.kit.auth.limits import Limiter
from app.kit.db.database import Model
from app.kit.mail.smtp import Mail

db = SQLAlchemy(model_class=Model)
login_manager = LoginManager()
csrf = MaskedCSRFProtect()
mail = Mail()
compress = Compress()
# Without Flask-Caching's {% cache %} tag, whose content can depend on the visitor (see kit/pages/fragments.py).
cache = Cache(with_jinja2_ext=False)
fragment_cache = Cache(with_jinja2_ext=False)
limiter = Limiter()
