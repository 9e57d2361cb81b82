"""Bare Flask with the packages of the kit imported: no site with these packages can start faster."""

# ruff: noqa: F401
import argon2
import dotenv
import flask_compress
import flask_login
import flask_mail
import flask_sqlalchemy
import flask_wtf
import limits
import redis
import rq
import whitenoise

from benchmarks.bare import app
