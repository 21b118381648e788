"""Progress on stderr: a live bar on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from intendant.views.lines import sanitize_line

if TYPE_CHECKING:
    from intendant.runner.base import Progress as Step


class ProgressView:
    """Shows each task once, as it is reported; call it with the progress. Use it as a context manager."""

    def __init__(self, title: str) -> None:
        # late, as in `output`
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._last = ""
        self._live: Progress | None = None
        if self._console.is_terminal:
            self._live = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._bar = self._live.add_task(title, total=None)
        else:
            self._print(title)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, step: "Step") -> None:
        """Show one report; the same report twice shows once."""
        count = f"[{step.done}/{step.expected}] " if step.expected else ""
        what = ": ".join(sanitize_line(part) for part in (step.host, step.task) if part)
        if self._live is not None:
            self._live.update(self._bar, completed=step.done, total=step.expected or None)
        if what and what != self._last:
            self._last = what
            self._print(f"  {count}{what}")

    def _print(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text(text), soft_wrap=True)
