"""What Tieout says to people, in the language of the reader: one table a language, the same keys in each.

Codes, JSON and ISO dates are never translated. A text may have named placeholders, the same in every language. The
tables are loaded when first needed, only that of the chosen language.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Literal, get_args

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = get_args(Lang)
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def match(tag: str) -> Lang | None:
    """The language of a tag or a locale's name (``zh``, ``zh-Hans``, ``zh_CN.UTF-8``); None where we have none."""
    word = tag.strip().lower().replace("_", "-").split("-", 1)[0].split(".", 1)[0]
    return next((lang for lang in LANGS if lang == word), None)


def from_locale(environ: Mapping[str, str]) -> Lang:
    """The language of the locale: the first of LC_ALL, LC_MESSAGES and LANG that is set decides; English otherwise."""
    locale = next((environ[name] for name in _LOCALE_VARIABLES if environ.get(name)), "")
    return match(locale) or "en"


class Texts:
    """The message table of one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang = lang
        module = import_module(f"tieout.messages.{lang}")
        self._table: dict[str, str] = module.TEXTS
        self._details: dict[str, str] = module.DETAILS

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key with its placeholders filled in; KeyError for a key that is in no table."""
        text = self._table[key]
        return text.format(**values) if values else text

    def get(self, key: str, otherwise: str) -> str:
        """The text of a key whose last part comes from data, such as a code; ``otherwise`` where there is none."""
        return self._table.get(key, otherwise)

    def detail(self, rule: str) -> str:
        """What exactly is wrong with a field, in this language.

        The checks of fields say it in English. A key that ends in a blank stands for all that begin so; what follows it
        is a value, and stays.
        """
        whole = self._details.get(rule)
        if whole is not None:
            return whole
        begun = next((key for key in self._details if key.endswith(" ") and rule.startswith(key)), None)
        return rule if begun is None else f"{self._details[begun]}{rule[len(begun) :]}"
