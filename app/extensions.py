"""Every extension object, unbound; ``create_app`` binds them to an application."""

from flask_compress import Compress
from flask_sqlalchemy import SQLAlchemy

from app.kit.csrf import MaskedCSRFProtect
from app.kit.database import Model
from app.kit.limits import make_limiter
from app.kit.login import SessionLoginManager
from app.kit.smtp import Mail

db = SQLAlchemy(model_class=Model)
login_manager = SessionLoginManager()
csrf = MaskedCSRFProtect()
mail = Mail()
compress = Compress()
limiter = make_limiter()
