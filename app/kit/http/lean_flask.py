"""Flask without what it does anew for each request although the answer never changes."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from inspect import CO_COROUTINE
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2.runtime import Context

PLAIN_KINDS = {BuiltinFunctionType, FunctionType, MethodType}


class QuickCalls(Context):
    """What a template sees; it calls most functions without first asking what they want to be handed."""

    def call(self, function: Callable[..., Any], /, *arguments: Any, **values: Any) -> Any:
        # Jinja asks three times, which takes longer than most of what our templates call.
        if type(function) not in PLAIN_KINDS or hasattr(function, "jinja_pass_arg"):
            return super().call(function, *arguments, **values)
        values.pop("_block_vars", None)
        values.pop("_loop_vars", None)
        try:
            return function(*arguments, **values)
        except StopIteration:  # as Jinja has it: here it would end the page
            return self.environment.undefined("what was called had run out")


class PlainGlobals(Environment):
    """Jinja's environment without a chain of dictionaries per template.

    Jinja chains a template's globals to the environment's, so that what is added later shows. Reading the chain
    costs 12 µs for each page and again for each import in it. Ours are complete before the first page: a copy does.
    """

    context_class = QuickCalls

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


class LeanFlask(Flask):
    """Flask that tells a plain function at a glance: it asks 20 times a request, a twentieth of a small page."""

    jinja_environment = PlainGlobals

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        # Nothing is remembered: what ``after_this_request`` is given would live on, with all that it holds.
        # An attribute may be the mark of a coroutine function (inspect.markcoroutinefunction).
        if type(func) is FunctionType and not func.__dict__ and not func.__code__.co_flags & CO_COROUTINE:
            return func
        return super().ensure_sync(func)
