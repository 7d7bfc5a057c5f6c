# What the objects of a backend hold, for the comparison of states: the host sends this text with the cells whose state
# is compared, after `call_cell`. Any graph of objects can be walked; what cannot be looked into is named, and never
# compared.


def _ui_state(objects, variables):
    import copyreg
    import functools
    import hashlib
    import itertools
    import json
    import sys
    import types
    import warnings

    state = {"public": {}, "private": {}, "unseen": []}
    left = [200_000, 2_000, False]  # values to look at, entries, whether something private was left out
    code = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, type)
    code += (types.MethodWrapperType, types.GenericAlias, property, staticmethod, classmethod)

    def opaque(value, path):
        kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
        if (name := f"{path} ({kind})") not in state["unseen"]:
            state["unseen"].append(name)
        return ["unseen", kind]

    def atom(value):
        # Values without parts: None where it has some.
        if value is None or isinstance(value, bool):
            return [value]
        number = _ui_number(value)  # noqa: F821 (of call_cell)
        if number is not None:
            return ["number", number]
        if isinstance(value, str):
            return [_ui_placeless(str.__str__(value))]  # noqa: F821
        if isinstance(value, (bytes, bytearray)):
            return ["bytes", bytes(value).hex()]
        if isinstance(value, code) or (type(value) is dict and "__builtins__" in value):
            return [
                "code",
                getattr(value, "__module__", ""),
                getattr(value, "__qualname__", type(value).__name__),
            ]
        if type(value).__module__ == "_thread" and "lock" in type(value).__name__.lower():
            return ["lock"]
        return ["count", repr(value)] if type(value) is itertools.count else None

    def fields(value):
        found = {}
        for kind in reversed(type(value).__mro__):
            own = kind.__module__ == "__main__" or kind.__module__ not in sys.modules
            for name, item in vars(kind).items():
                if isinstance(item, types.MemberDescriptorType):
                    try:
                        found[name] = item.__get__(value)
                    except AttributeError:
                        found.pop(name, None)
                elif own and name[:2] != "__" and name[:5] != "_abc_" and not hasattr(type(item), "__get__"):
                    found[name] = item
        found.update(getattr(value, "__dict__", None) or {})
        return found

    def parts(value, path):
        # Its kind, and its parts: label, value, whether it is private.
        kind, found = type(value), []
        if isinstance(value, dict):
            found += [(f"[{label(key, path)}]", item, False) for key, item in dict.items(value)]
            name = "dict"
        elif isinstance(value, (list, tuple)):
            found += [(f"[{place}]", item, False) for place, item in enumerate(value)]
            name = "list"
        elif kind in copyreg.dispatch_table or (
            (kind.__reduce_ex__, kind.__reduce__) != (object.__reduce_ex__, object.__reduce__)
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = copyreg.dispatch_table.get(kind, lambda one: one.__reduce_ex__(4))(value)
            if isinstance(made, str):
                return made, []
            made = [
                list(item) if 2 < place < 5 and item is not None else item for place, item in enumerate(made)
            ]
            return kind.__qualname__, [(f"<{place}>", item, False) for place, item in enumerate(made)]
        else:
            name = kind.__qualname__
            if kind.__getstate__ is object.__getstate__:
                object.__reduce_ex__(value, 2)  # raises where a part in C cannot be seen
        if isinstance(value, (dict, list, tuple)) and kind.__module__ in ("builtins", "collections"):
            return name, found
        return name, found + [(f".{key}", item, str(key)[:1] == "_") for key, item in fields(value).items()]

    def label(key, path):
        found = plain(key, [], path, True)
        return (
            str(int(found[1], 16))
            if found[:1] == ["number"] and found[1][:2] == "0x"
            else json.dumps(found)[1:-1]
        )

    def plain(value, above, path, private):
        left[0] -= 1
        try:
            found = atom(value)
            if found is not None:
                return found
            if id(value) in above:
                return ["above", len(above) - above.index(id(value))]
            if len(above) > 300 or left[0] < 0:
                return opaque(value, path)
            within = [*above, id(value)]
            if isinstance(value, (set, frozenset)):
                return ["set", *sorted(json.dumps(plain(item, within, path, private)) for item in value)]
            name, found = parts(value, path)
            left[2] |= any(hidden for key, item, hidden in found)
            found = [
                (key, plain(item, within, path, private))
                for key, item, hidden in found
                if private or not hidden
            ]
            return [name, found if name == "list" else sorted(found, key=json.dumps)]
        except Exception:
            return opaque(value, path)

    def digest(found):
        return hashlib.sha256(json.dumps(found).encode("utf-8", "replace")).hexdigest()[:16]

    def enter(value, path, private, above):
        # One entry for each part that can be told apart: what differs by chance can be left out by itself.
        kept = "private" if private else "public"
        left[1] -= 1
        found = None
        if len(above) < 5 and id(value) not in above and left[1] > 0:
            try:
                if atom(value) is None and not isinstance(value, (set, frozenset)):
                    found = parts(value, path)
            except Exception:
                pass
        if found is None or len(found[1]) > 100 or any(key[:1] == "<" for key, item, hidden in found[1]):
            left[2] = False
            state[kept][path] = digest(plain(value, above, path, False))
            if left[2]:
                state["private"][path] = digest(plain(value, above, path, True))
            return
        name, found = found
        shape = [[name], *sorted([key] for key, item, hidden in found if key[:1] != ".")]
        state[kept][path] = digest(shape)
        if any(key[:1] == "." for key, item, hidden in found):
            state["private"][path + ".*"] = digest(sorted([key] for key, item, hidden in found))
        for key, item, hidden in found:
            enter(item, path + key, private or hidden, [*above, id(value)])

    def computed(value, path):
        for name in sorted({name for kind in type(value).__mro__ for name in vars(kind) if name[:1] != "_"}):
            for kind in type(value).__mro__:
                if name in vars(kind):
                    break
            if isinstance(vars(kind)[name], (property, functools.cached_property)):
                try:
                    enter(getattr(value, name), f"{path}.{name}", False, [id(value)])
                except Exception as error:
                    state["public"][f"{path}.{name}"] = digest(["raises", type(error).__qualname__])

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10_000))
    try:
        for variable in objects:
            enter(globals()[variable], variable, False, [])
            computed(globals()[variable], variable)
        for name in variables:
            if name in globals():
                enter(globals()[name], name, bool(objects) or name[:1] == "_", [])
    finally:
        sys.setrecursionlimit(limit)
    return state
