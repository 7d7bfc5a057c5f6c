"""What models are asked: Markdown templates, one file for each (task, schema, step), filled in with jinja2.

A template is cut into sections, begun by the lines `### system`, `### user` and `### assistant`, before
anything is filled in, and each section is compiled by itself: a value can neither begin a section nor be read
as template code. A folder of the user's own replaces built-in files of the same name, one by one; its files
are compiled when the folder is opened, so that a malformed one is found before a run begins. A set that comes with the
package (`compact`, for small models) is named instead of a folder, and replaces files in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, cast

from jinja2 import (
    BaseLoader,
    Environment,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ultrainteract.errors import ConfigError
from ultrainteract.schema import Message
from ultrainteract.schema.tasks import TASKS

__all__ = ["Prompts", "own_folder"]

_BUILT_IN = Path(__file__).parent
_SETS = _BUILT_IN / "sets"
_SUFFIX = ".md"
_SHARED = "shared/"
"""Passages that several templates include; they have no sections."""
_SECTION = re.compile(r"^### (system|user|assistant)[ \t]*$", re.MULTILINE)

_Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class _Section:
    role: _Role
    line: int
    """Line of the file on which the section's text begins, from 1."""
    template: Template


class Prompts:
    """The templates of a run.

    Args:
        override: Folder whose files replace the built-in ones of the same relative name, or the name of a set.

    Raises:
        ConfigError: The folder is missing, a file in it replaces nothing, or a template in it is malformed.
    """

    def __init__(self, override: Path | None = None) -> None:
        self._override = override = override if own_folder(override) else _set(override)
        self._environment = self._make_environment()
        self._sections: dict[str, tuple[_Section, ...]] = {}
        if override is not None:
            self._check_override(override)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all templates, sorted; those under `shared/` are included by others."""
        further = (name for task in TASKS.all().values() if task.prompts for name in _names(task.prompts))
        return tuple(sorted({*_names(_BUILT_IN), *further}))

    def render(self, name: str, **variables: Any) -> tuple[Message, ...]:
        """The conversation that a template gives.

        Args:
            name: Its path below the prompts folder without `.md`, such as `actor/math_pot.modular`.
            **variables: Values for its placeholders; they are inserted as they are.

        Raises:
            ConfigError: There is no such template, it is malformed, or it uses a value that is not there.
        """
        sections = self._sections.get(name)
        if sections is None:
            sections = self._sections[name] = self._compile(name)
        messages = []
        for section in sections:
            try:
                content = section.template.render(variables)
            except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
                raise self._error(name, section.line, error) from error
            messages.append(Message(role=section.role, content=content))
        return tuple(messages)

    def digest(self, name: str) -> str:
        """Sha256 hex digest of a template with the passages it includes: changes when its wording does.

        Raises:
            ConfigError: There is no such template.
        """
        found = sha256()
        for part in self._with_included(name, frozenset()):
            found.update(part.encode() + b"\0")
        return found.hexdigest()

    # ------------------------------------------------------------------------------------------ reading

    def _path(self, name: str) -> Path:
        for folder in (self._override, _BUILT_IN):
            if folder is not None and (path := folder / f"{name}{_SUFFIX}").is_file():
                return path
        if (further := self._further(name)) is not None:
            return further
        raise ConfigError(f"There is no prompt template '{name}'. There are: {', '.join(self.names)}.")

    def _further(self, name: str) -> Path | None:
        """The template of a further task: its own, or that of the task it is like."""
        role, _, rest = name.partition("/")
        short, dot, form = rest.partition(".")
        for task in TASKS.all().values():
            if task.name.lower() == short:
                if task.prompts is not None and (path := task.prompts / f"{name}{_SUFFIX}").is_file():
                    return path
                return self._path(f"{role}/{task.like.lower()}{dot}{form}")
        return None

    def _source(self, name: str) -> tuple[Path, str]:
        path = self._path(name)
        try:
            return path, path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"The prompt template {path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"The prompt template {path} is not UTF-8 text: save it as UTF-8.") from error

    def _compile(self, name: str) -> tuple[_Section, ...]:
        path, source = self._source(name)
        heads = list(_SECTION.finditer(source))
        if not heads or source[: heads[0].start()].strip():
            raise ConfigError(f"{path}, line 1: a template begins with a line '### system' or '### user'.")
        sections = []
        for head, end in zip(heads, [*(head.start() for head in heads[1:]), len(source)], strict=True):
            body = source[head.end() : end]
            text = body.strip()
            line = source.count("\n", 0, head.end() + len(body) - len(body.lstrip())) + 1
            if not text:
                line = source.count("\n", 0, head.start()) + 1
                raise ConfigError(f"{path}, line {line}: the section '{head.group().strip()}' is empty.")
            try:
                template = self._environment.from_string(text)
            except TemplateError as error:
                raise self._error(name, line, error) from error
            sections.append(_Section(role=cast(_Role, head.group(1)), line=line, template=template))
        return tuple(sections)

    def _make_environment(self) -> Environment:
        # Sandboxed: a folder of prompts may come from someone else, and is text, not a program.
        return ImmutableSandboxedEnvironment(
            loader=_Loader(self),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )

    def _with_included(self, name: str, seen: frozenset[str]) -> Iterator[str]:
        source = self._source(name)[1]
        yield source
        for included in re.findall(r"\{%-?\s*include\s+[\"']([^\"']+)[\"']", source):
            part = included.removesuffix(_SUFFIX)
            if part not in seen:
                yield from self._with_included(part, seen | {name, part})

    # ------------------------------------------------------------------------------------------- checking

    def _check_override(self, folder: Path) -> None:
        if not folder.is_dir():
            sets = ", ".join(sorted(path.name for path in _SETS.iterdir()))
            raise ConfigError(
                f"growth.prompts: {folder} is not a folder, and no set of the package ({sets})."
            )
        for name in sorted(_names(folder)):
            if name.startswith(_SHARED):
                _, source = self._source(name)
                try:
                    self._environment.parse(source)
                except TemplateError as error:
                    raise self._error(name, 1, error) from error
            elif name in self.names:
                self._sections[name] = self._compile(name)
            else:
                raise ConfigError(
                    f"{folder / name}{_SUFFIX} replaces no built-in template. "
                    f"There are: {', '.join(self.names)}."
                )

    def _error(self, name: str, line: int, error: Exception) -> ConfigError:
        """Says where in which file a template went wrong; `line` is the one on which the section begins."""
        where, inner = self._path(name), 1
        if isinstance(error, TemplateSyntaxError):
            inner, included = error.lineno, error.name
        else:
            inner, included = _place(error)
        if included is not None:  # the fault is in an included passage, whose lines count from its own first
            where, line = self._path(included.removesuffix(_SUFFIX)), 1
        message = str(error.message if isinstance(error, TemplateError) else error) or type(error).__name__
        return ConfigError(f"{where}, line {line + inner - 1}: {message.splitlines()[0]}")


class _Loader(BaseLoader):
    """Finds included passages, the user's own before the built-in ones."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, None]:
        try:
            path, source = self._prompts._source(template.removesuffix(_SUFFIX))
        except ConfigError as error:
            raise TemplateNotFound(template, message=str(error)) from error
        return source.strip(), str(path), None


def own_folder(prompts: Path | None) -> Path | None:
    """The user's folder of templates; None where there is none, or a set of the package is named."""
    return None if prompts is None or _set(prompts) else prompts


def _set(prompts: Path | None) -> Path | None:
    """The folder of the set that `prompts` names."""
    if prompts is None or len(prompts.parts) != 1 or prompts.name in (".", ".."):
        return None
    return folder if (folder := _SETS / prompts).is_dir() else None


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob(f"*{_SUFFIX}"):
        if folder == _BUILT_IN and path.is_relative_to(_SETS):
            continue
        yield path.relative_to(folder).as_posix().removesuffix(_SUFFIX)


def _place(error: Exception) -> tuple[int, str | None]:
    """Line within the template, and name of the included template, where a rendering error arose."""
    line, included = 1, None
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None or trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
            included = getattr(template, "name", None)
        elif trace.tb_frame.f_code.co_filename.endswith(_SUFFIX):
            line = trace.tb_lineno
            included = _relative(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    return line, included


def _relative(filename: str) -> str:
    return "/".join(Path(filename).parts[-2:])
