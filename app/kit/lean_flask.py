"""Flask without what it does anew for each request although the answer never changes."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2.runtime import Context

# Hooks, views and template functions of a large application; whatever is beyond them is looked at each time.
MOST_KNOWN_FUNCTIONS = 1000
PLAIN_KINDS = {BuiltinFunctionType, FunctionType, MethodType}


class QuickCalls(Context):
    """What a template sees; it calls most functions without first asking what they want to be handed."""

    def call(self, function: Callable[..., Any], /, *arguments: Any, **values: Any) -> Any:
        # Jinja asks three times, which takes longer than most of what our templates call.
        if type(function) not in PLAIN_KINDS or hasattr(function, "jinja_pass_arg"):
            return super().call(function, *arguments, **values)
        values.pop("_block_vars", None)
        values.pop("_loop_vars", None)
        return function(*arguments, **values)


class PlainGlobals(Environment):
    """Jinja's environment without a chain of dictionaries per template.

    Jinja chains a template's globals to the environment's, so that what is added later shows. Reading the chain
    costs 12 µs for each page and again for each import in it. Ours are complete before the first page: a copy does.
    """

    context_class = QuickCalls

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


class LeanFlask(Flask):
    """Flask that remembers which functions are plain ones: it asks 20 times a request, a twentieth of a small page."""

    jinja_environment = PlainGlobals

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._plain_functions: set[Callable[..., Any]] = set()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        if func in self._plain_functions:
            return func
        ensured = super().ensure_sync(func)
        if ensured is func and len(self._plain_functions) < MOST_KNOWN_FUNCTIONS:
            self._plain_functions.add(func)
        return ensured
