"""Everything that a page must not do behind a person's back."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

_ABORTED = "net::ERR_ABORTED"  # a page that was left, or a link that became a download


class Watch:
    """Collects console errors and warnings, exceptions and failed requests.

    A violation of the content security policy is an error in the console.
    """

    def __init__(self) -> None:
        self._faults: list[tuple[int, str]] = []
        self._expected: set[int] = set()

    def expect(self, *statuses: int) -> None:
        """Say which refusals are what the test is about."""
        self._expected.update(statuses)

    def forgive(self) -> None:
        """Forget what went wrong so far."""
        self._faults.clear()

    @property
    def faults(self) -> list[str]:
        """What went wrong so far, besides the refusals that were expected."""
        return [text for status, text in self._faults if status not in self._expected]

    def follow(self, context: BrowserContext) -> None:
        """Watch every page of the context."""
        context.on("console", self._console)
        context.on("weberror", self._exception)
        context.on("response", self._response)
        context.on("requestfailed", self._failure)

    def _console(self, message: ConsoleMessage) -> None:
        # A failed response has been seen as such.
        is_echo = message.text.startswith("Failed to load resource: the server responded")
        if message.type in ("error", "warning") and not is_echo:
            self._faults.append((0, f"{message.type} {message.text} {message.location['url']}"))

    def _exception(self, error: WebError) -> None:
        self._faults.append((0, f"exception {error.error}"))

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            text = f"{response.status} {response.request.method} {response.url}"
            self._faults.append((response.status, text))

    def _failure(self, request: Request) -> None:
        if request.failure != _ABORTED:
            self._faults.append((0, f"{request.failure} {request.url}"))
