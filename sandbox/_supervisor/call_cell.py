# The cell before function calls: it carries one out, and finds the function of a name. The host sends this very text;
# zygotes have it compiled (see `notebook`), since every request of function calls has it.


def _ui_made(call, limit):
    import io
    import json
    import sys

    out = io.StringIO()
    kept, sys.stdout = sys.stdout, out
    made = {"ok": True}
    try:
        value = call()
        text = str(value)
        if isinstance(value, dict):
            try:
                text = json.dumps(value)
            except (TypeError, ValueError):
                pass
        elif value is None and out.getvalue():
            text = out.getvalue().rstrip()
    except Exception as error:
        made, text = {"ok": False}, "Error during execution: " + str(error)
    finally:
        sys.stdout = kept
    if len(text) > limit:
        import hashlib

        made["whole"] = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]
        half = limit // 2
        text = f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[-half:]}"
    made["text"] = text
    return made


def _ui_find(name, objects):
    for variable in objects:
        if callable(getattr(globals()[variable], name, None)):
            return getattr(globals()[variable], name)
    return globals()[name]
