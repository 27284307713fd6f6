"""Closed tables from names and configurations to objects: initializers, losses, optimizers and their like.

Every one of Keras's ``get`` functions is one of these tables: it takes an object, a name in any of its spellings, or a
configuration, and refuses what is in neither the table nor the program's custom objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphc.custom_objects import get_registered_name, get_registered_object
from graphc.errors import ArgumentError, did_you_mean
from graphc.naming import snake_case


class ObjectTable:
    """Names to classes and functions of one kind.

    Args:
        kind: what an entry is called in messages: "initializer".
        module: the module that Keras's files name: "keras.initializers".
        classes: looked up by class name and its snake_case form.
        functions: looked up by their names.
        aliases: other spellings.
    """

    def __init__(
        self,
        kind: str,
        module: str,
        classes: Iterable[type] = (),
        functions: Iterable[Callable[..., Any]] = (),
        aliases: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = kind
        self.module = module
        self.classes: dict[str, type] = {cls.__name__: cls for cls in classes}
        self.functions: dict[str, Callable[..., Any]] = {f.__name__: f for f in functions}
        self._names: dict[str, Any] = {snake_case(name): cls for name, cls in self.classes.items()}
        self._names |= {name.lower(): cls for name, cls in self.classes.items()}
        self._names |= self.classes
        self._names |= self.functions
        self._names |= dict(aliases or {})

    def lookup(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The class or function of that name.

        Raises:
            ArgumentError: there is none; suggests near names.
        """
        found = get_registered_object(name, custom_objects)
        if found is None:
            found = self._names.get(name) or self._names.get(name.lower())
        if found is None:
            raise ArgumentError(
                f"Could not interpret {self.kind} identifier: {name!r}.{did_you_mean(name, self._names)}"
            )
        return found

    def get(self, identifier: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """An object from an object, name or configuration; None stays None.

        Raises:
            ArgumentError: it is none of these, or unknown.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            found = self.lookup(identifier, custom_objects)
            return found() if isinstance(found, type) else found
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier, custom_objects)
        if isinstance(identifier, type):
            return identifier()
        if callable(identifier):
            return identifier
        raise ArgumentError(
            f"Could not interpret {self.kind} identifier: {identifier!r}. "
            f"Expected a name, a configuration or a callable; got {type(identifier).__name__}."
        )

    def serialize(self, item: Any) -> Any:
        """The configuration of an object, as Keras writes it."""
        if item is None or isinstance(item, str):
            return item
        if hasattr(item, "get_config"):
            cls = type(item)
            built_in = self.classes.get(cls.__name__) is cls
            return {
                "module": self.module if built_in else None,
                "class_name": cls.__name__,
                "config": item.get_config(),
                "registered_name": None if built_in else get_registered_name(cls),
            }
        return get_registered_name(item)

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """An object from what `serialize` gave.

        Raises:
            ArgumentError: the configuration is malformed or names something unknown.
        """
        if config is None or isinstance(config, str):
            return self.get(config, custom_objects)
        name = config.get("class_name") if isinstance(config, Mapping) else None
        if name == "function":  # Keras's form for plain functions
            return self.lookup(str(config.get("registered_name") or config.get("config")), custom_objects)
        if not isinstance(name, str):
            raise ArgumentError(f"A configuration of a {self.kind} must hold a class_name; got {config!r:.120}.")
        registered = config.get("registered_name")
        found = get_registered_object(registered, custom_objects) if isinstance(registered, str) else None
        if found is None:
            found = self.lookup(name, custom_objects)
        inner = config.get("config")
        if not isinstance(found, type):
            return found
        if not isinstance(inner, Mapping):
            raise ArgumentError(f"The configuration of {self.kind} {name} must be a mapping; got {inner!r:.120}.")
        make = getattr(found, "from_config", None)
        try:
            return make(dict(inner)) if make is not None else found(**inner)
        except TypeError as error:
            raise ArgumentError(
                f"The configuration of {self.kind} {name} does not fit its constructor: {error}"
            ) from None
