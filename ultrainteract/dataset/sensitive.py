"""Finds keys and tokens, mail addresses and telephone numbers in texts.

Keys are found by the published formats of the services that issue them (`detect-secrets`, and a few newer ones here),
never by entropy or by a variable's name: programs in the data are full of both. Telephone numbers are those that
Google's libphonenumber holds valid, written with a country code or as North American ones. Documented placeholders do
not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

from ultrainteract.errors import require
from ultrainteract.schema import Tree, content_hash

Kind = Literal["secret", "email", "phone"]

_FORMATS = {
    "AWSKeyDetector": ("a3t", "abia", "acca", "akia", "asia", "aws"), "AzureStorageKeyDetector": ("accountkey=",),
    "BasicAuthDetector": ("://",), "CloudantDetector": ("cloudant",), "DiscordBotTokenDetector": ("discord",),
    "GitHubTokenDetector": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    "GitLabTokenDetector": ("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "gr1348941", "glcbt-", "glimt-", "glptt-",
                            "glagent-", "gloas-"),
    "IbmCloudIamDetector": ("ibm", "cloud_iam", "cloud-iam", "cloudiam"), "JwtTokenDetector": ("eyj",),
    "MailchimpDetector": ("-us",), "NpmDetector": ("_authtoken",), "OpenAIDetector": ("t3blbkfj",),
    "PrivateKeyDetector": ("private key", "putty-user"), "PypiTokenDetector": ("pypi-",), "SendGridDetector": ("sg.",),
    "SlackDetector": ("xox", "hooks.slack"), "SoftlayerDetector": ("softlayer",), "SquareOAuthDetector": ("sq0csp",),
    "StripeDetector": ("sk_live", "rk_live"), "TelegramBotTokenDetector": (":aa",), "TwilioKeyDetector": ("twilio",),
}  # fmt: skip
"""Plugins of detect-secrets that know a format, with what every text with such a key holds, in lower case.

Bare Discord and Twilio keys have no mark of their own, so they count only where the service is named, too."""
_NEWER = {
    "Hugging Face token": ("hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
    "Anthropic key": ("sk-ant-", r"\bsk-ant-[A-Za-z0-9_-]{24,}"),
    "OpenAI key": ("sk-", r"\bsk-(?:proj-|svcacct-)?(?!ant-)[A-Za-z0-9_-]*[A-Za-z0-9]{32,}"),
    "Google key": ("aiza", r"\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    "Groq key": ("gsk_", r"\bgsk_[A-Za-z0-9]{40,}\b"),
    "xAI key": ("xai-", r"\bxai-[A-Za-z0-9]{60,}\b"),
    "Replicate token": ("r8_", r"\br8_[A-Za-z0-9]{37,}\b"),
    "GitHub fine-grained token": ("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{60,}\b"),
}
"""Formats that detect-secrets does not know: what every such key holds, and its pattern."""
_PLACEHOLDER = re.compile(
    r"example|xxxx|your[-_ ]|placeholder|[<>{}$*]"
    r"|^(pass(word|wd)?|pwd|secret|changeme|test|admin|root|guest|user|postgres)$"
    r"|^(?P<same>.)(?P=same)+$|1234567890abcdef|abcdefghij",
    re.IGNORECASE,
)
_LOCAL_PART = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}$")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}(?![\w(@]|\.\w)")
_NO_ADDRESS = re.compile(
    r"(^|\.)example\.(com|org|net|edu)$|\.(example|test|invalid|localhost|local)$", re.IGNORECASE
)
_PHONES = (
    re.compile(r"\+\d[\d ().-]{7,18}\d(?![\w-]|\.\d)"),
    re.compile(r"\(\d{3}\) ?\d{3}-\d{4}(?![\w-]|\.\d)"),
    re.compile(r"-\d{3}-\d{4}(?![\w-]|\.\d)"),
)
"""With a country code; North American, its area code in brackets; its end, where the area code stands before a dash."""


class Finding(NamedTuple):
    """Something in a text that should not be published unseen."""

    kind: Kind
    """What it is."""
    format: str
    """Its format, in words."""
    shown: str
    """Its text; of a key the first characters alone."""
    digest: str
    """Hash of its text, by which repetitions are known."""


def find_sensitive(text: str) -> Iterator[Finding]:
    """Yields what is found in a text.

    Raises:
        ConfigError: detect-secrets or phonenumbers is not installed.

    Example:
        >>> [(found.kind, found.format) for found in find_sensitive("Ask ada@lovelace.org, +44 20 7946 0958.")]
        [('email', 'mail address'), ('phone', 'telephone number')]
        >>> list(find_sensitive("A@B.T, user@example.com, 555-1234, AKIAIOSFODNN7EXAMPLE"))
        []
    """
    lowered = text.lower()
    seen: set[str] = set()
    for name, marks, search in _formats():
        for found in search(text) if any(mark in lowered for mark in marks) else ():
            if found and found not in seen and not _PLACEHOLDER.search(found):
                seen.add(found)
                yield Finding("secret", name, f"{found[:4]}…", content_hash(found))
    for address in _mail_addresses(text):
        yield Finding("email", "mail address", address, content_hash(address))
    for number in _phone_numbers(text):
        yield Finding("phone", "telephone number", number, content_hash(number))


def tree_kinds(tree: Tree) -> set[Kind]:
    """The kinds of what is found anywhere in a tree: its instruction, actions, outputs and critiques."""
    texts = [tree.instruction.prompt, tree.instruction.question, str(tree.instruction.gold or "")]
    for _, node in tree.nodes():
        texts += [node.action.text, node.action.raw, node.observation.output or ""]
        texts += [part for exchange in node.action.exchanges for part in (exchange.text, exchange.output)]
        texts += [node.critique.text] if node.critique else []
    return {found.kind for text in texts for found in find_sensitive(text)}


def _mail_addresses(text: str) -> Iterator[str]:
    at = text.find("@")
    while at >= 0:
        local, domain = _LOCAL_PART.search(text[max(0, at - 65) : at]), _DOMAIN.match(text, at + 1)
        if local and domain and not _NO_ADDRESS.search(domain[0]):
            yield f"{local[0]}@{domain[0]}"
        at = text.find("@", at + 1)


def _phone_numbers(text: str) -> Iterator[str]:
    for pattern in _PHONES:
        for match in pattern.finditer(text):
            start = match.start() - (3 if match[0].startswith("-") else 0)
            number = text[max(0, start) : match.end()]
            whole = start == 0 or not (text[start - 1].isalnum() or text[start - 1] in "+-._")
            if start >= 0 and whole and number[0] in "+(0123456789" and _is_phone_number(number):
                yield number


Search = Callable[[str], Iterable[str]]


@cache
def _formats() -> list[tuple[str, tuple[str, ...], Search]]:
    """(name, marks in lower case, search) of every format of keys."""
    require("detect_secrets", "hub")
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
    known = {plugin.__name__: plugin for plugin in plugins.values()}
    return [
        *((name, (mark,), re.compile(pattern).findall) for name, (mark, pattern) in _NEWER.items()),
        *((known[name].secret_type, marks, known[name]().analyze_string) for name, marks in _FORMATS.items()),
    ]


def _is_phone_number(text: str) -> bool:
    require("phonenumbers", "hub")
    import phonenumbers

    try:
        number = phonenumbers.parse(text, None if text.startswith("+") else "US")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)
