"""What the demo says beside the tables: its own sentences, laid over the program's message table of the language."""

from importlib import import_module

from tieout.messages import Lang, Texts


class DemoTexts(Texts):
    """The message table of one language with the demo's sentences in it."""

    def __init__(self, lang: Lang) -> None:
        super().__init__(lang)
        self._table = self._table | import_module(f"tieout.demo.texts.{lang}").TEXTS
