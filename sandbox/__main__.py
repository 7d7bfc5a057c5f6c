"""Starts the supervisor: `python <this directory> --socket PATH` or `--fd N`.

Some things have to happen before any other module is loaded. The supervisor's own modules get builtins of their
own, so that a child reports correctly whatever its program did to `builtins`. The interpreter's memory is kept in
one place. And handlers that libraries register for forks are set aside: in a zygote, which has one thread, they
only make every fork slower; they are registered when a program forks for the first time.
"""

import builtins
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location

at_fork: list[dict[str, object]] = []


class _Loader(SourceFileLoader):
    """Loads a module whose functions see a private copy of the builtins."""

    private = dict(vars(builtins))

    def exec_module(self, module) -> None:  # type: ignore[no-untyped-def]
        module.__builtins__ = self.private
        super().exec_module(module)


class _Finder:
    """Finds the supervisor's own modules."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        top, _, module = name.partition(".")
        if top != "_supervisor":
            return None
        directory = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_supervisor")
        file = os.path.join(directory, f"{module or '__init__'}.py")
        locations = None if module else [directory]
        loader = _Loader(name, file)
        return spec_from_file_location(name, file, loader=loader, submodule_search_locations=locations)


def start() -> None:
    """Loads the supervisor and runs it."""
    sys.meta_path.insert(0, _Finder)  # type: ignore[arg-type]
    register = os.register_at_fork
    os.register_at_fork = lambda **handlers: at_fork.append(handlers)
    from _supervisor import memory

    memory.use_one_heap()
    from _supervisor import start as supervisor

    supervisor.main(register, at_fork)


if __name__ == "__main__":
    start()
