"""What libraries written in Rust refuse, in our words."""

from types import TracebackType

from .errors import InputError, TamisError


class Refusals:
    """A context that raises an error of ours in place of one of tokenizers or tiktoken.

    They raise the class ``Exception`` itself, ValueError, or a PanicException that cannot be imported, so the class has
    to be looked at: other errors pass.

    Args:
        rule: what must hold.
        value: what was refused; what the library says follows.
        kind: the error to raise.
        remedy: what the user can do.
    """

    def __init__(
        self,
        rule: str,
        value: str,
        kind: type[TamisError] = InputError,
        remedy: str = "Use another tokenizer file, or leave this one out.",
    ) -> None:
        self.rule = rule
        self.value = value
        self.kind = kind
        self.remedy = remedy

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise ours in place of theirs."""
        if kind is not None and (kind in (Exception, ValueError) or kind.__name__ == "PanicException"):
            raise self.kind(self.rule, value=f"{self.value}: {error}", remedy=self.remedy) from error
