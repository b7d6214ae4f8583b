"""Limit of rejections: stops a worker before it drains a topic into the dead letters.

A wrong model, a wrong topic or a broken client causes every request to be rejected. The requests
are safer uncommitted in their topic until an operator has found the cause.
"""

from collections import deque

from catdog_stream.errors import TooManyRejectedError

__all__ = ["RejectionLimit"]


class RejectionLimit:
    """Counter of answers as they leave.

    Args:
        in_a_row: largest number of consecutive rejections.
        share: largest share of rejections in the last ``window`` answers, 0 to 1.
        window: number of answers that ``share`` refers to; with fewer it is not checked.
    """

    def __init__(self, *, in_a_row: int, share: float, window: int) -> None:
        self._in_a_row = in_a_row
        self._share = share
        self._recent: deque[bool] = deque(maxlen=window)
        self._rejected_in_a_row = 0
        self._refused_in_a_row = 0
        self._rejected_recently = 0

    def observe(self, *, rejected: bool) -> None:
        """Count one answer that is about to leave.

        Raises:
            TooManyRejectedError: this rejection exceeds a limit, and must not leave.
        """
        self._rejected_in_a_row = self._rejected_in_a_row + 1 if rejected else 0
        if len(self._recent) == self._recent.maxlen:
            self._rejected_recently -= self._recent[0]
        self._recent.append(rejected)
        self._rejected_recently += rejected
        if self._rejected_in_a_row > self._in_a_row:
            raise TooManyRejectedError(
                f"More than {self._in_a_row} requests in a row were rejected "
                "(CATDOG_MAX_REJECTED_IN_A_ROW): the worker stops and leaves the rest unread."
            )
        window = len(self._recent)
        if window == self._recent.maxlen and self._rejected_recently > self._share * window:
            raise TooManyRejectedError(
                f"{self._rejected_recently} of the last {window} requests were rejected, more "
                f"than {self._share:.0%} (CATDOG_MAX_REJECTED_SHARE): the worker stops and leaves "
                "the rest unread."
            )

    def observe_label(self, *, refused: bool) -> None:
        """Count one label that is in Kafka, or that its topic refused and a rejection replaced.

        Raises:
            TooManyRejectedError: the topic refuses all of them.
        """
        self._refused_in_a_row = self._refused_in_a_row + 1 if refused else 0
        if self._refused_in_a_row > self._in_a_row:
            raise TooManyRejectedError(
                f"More than {self._in_a_row} labels in a row were refused by their topic "
                "(CATDOG_MAX_REJECTED_IN_A_ROW): the worker stops and leaves the rest unread. The "
                "rejections have the cause."
            )
