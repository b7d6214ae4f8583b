"""Choice of the one answer that counts among several answers to a request.

A worker that dies between publishing and committing leaves an answer in the topics that was never
counted. The next worker answers again, perhaps differently: a label beside a rejection, or the
label of another stack. Only the committed answer counts. No record shows which one that is, because
all answers to a request carry the request's time; only the committed counts can show it. So one
answer is chosen for each such request, such that as many choices as possible agree with the
committed counts. Counts that can be right are left unchanged.

If the counts leave a choice open, the answer that was written last is usually the committed one.
That is the answer with the later time, where Kafka sets the time of the records; at the same time,
a label has priority over a rejection.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from catdog_stream.delivery.counting import OTHER, Shard

__all__ = ["Answer", "Kind", "chosen"]

Kind = Literal["labels", "rejections"]
#: Kind and name under which an answer is counted.
Counted = tuple[Kind, str]


class Answer(NamedTuple):
    """Record of an answer."""

    time_ms: int
    kind: Kind
    name: str


def chosen(answers: Mapping[int, Iterable[Answer]], counts: Shard) -> Mapping[int, Answer]:
    """Return one answer for each request. The result does not depend on the order of reading.

    Args:
        answers: offset of a request to its answers; answers of one topic in the topic's order.
        counts: the committed counts.
    """
    ranked = {offset: _ranked(of) for offset, of in sorted(answers.items())}
    capacity: Counter[Counted] = Counter()
    for kind in ("labels", "rejections"):
        capacity.update({(kind, name): number for name, number in counts[kind].items()})
    for of in ranked.values():
        if len(of) == 1:
            capacity[_counted(of[0], counts)] -= 1
    # Requests with the same candidates are equivalent: only their number per answer matters.
    alike: defaultdict[tuple[Counted, ...], list[int]] = defaultdict(list)
    for offset, of in ranked.items():
        if len(of) > 1:
            alike[tuple(_counted(each, counts) for each in of)].append(offset)
    shares = _shares({choice: len(offsets) for choice, offsets in alike.items()}, capacity)
    result = {offset: of[0] for offset, of in ranked.items()}
    for choice, offsets in alike.items():
        left = iter(offsets)
        for place, counted in enumerate(choice):
            for _ in range(shares[choice, counted]):
                offset = next(left)
                result[offset] = ranked[offset][place]
    return result


def _ranked(answers: Iterable[Answer]) -> list[Answer]:
    """Return distinct answers, the likeliest first."""
    last = {(each.kind, each.name): each for each in answers}
    latest_last = list(last.values())
    places = {each: place for place, each in enumerate(latest_last)}
    return sorted(latest_last, key=lambda a: (-a.time_ms, a.kind == "rejections", -places[a]))


def _counted(answer: Answer, counts: Shard) -> Counted:
    """Return the kind and name under which an answer is counted, if the shard is full, too."""
    known = counts[answer.kind]
    folded = answer.name not in known and OTHER in known
    return answer.kind, OTHER if folded else answer.name


def _shares(
    wanted: Mapping[tuple[Counted, ...], int], capacity: Mapping[Counted, int]
) -> Counter[tuple[tuple[Counted, ...], Counted]]:
    """Assign requests to names up to each name's capacity: a maximum flow.

    Args:
        wanted: candidates of requests to the number of requests with these candidates.
        capacity: name to its capacity, a number of requests.
    """
    free = Counter({name: number for name, number in capacity.items() if number > 0})
    flow: Counter[tuple[tuple[Counted, ...], Counted]] = Counter()
    for choice, number in wanted.items():
        for _ in range(number):
            path = _path(choice, flow, free)
            if not path:
                break
            free[path[-1][1]] -= 1
            for place, (giver, name) in enumerate(path):
                flow[giver, name] += 1
                if place + 1 < len(path):
                    flow[path[place + 1][0], name] -= 1
    return flow


def _path(
    choice: tuple[Counted, ...],
    flow: Mapping[tuple[tuple[Counted, ...], Counted], int],
    free: Mapping[Counted, int],
) -> list[tuple[tuple[Counted, ...], Counted]]:
    """Return an augmenting path that frees capacity for one more request; empty if none exists."""
    came_from: dict[Counted, tuple[tuple[Counted, ...], Counted | None]] = {}
    waiting: deque[tuple[tuple[Counted, ...], Counted | None]] = deque([(choice, None)])
    while waiting:
        taker, left = waiting.popleft()
        for name in taker:
            if name in came_from:
                continue
            came_from[name] = taker, left
            if free.get(name, 0) > 0:
                path: list[tuple[tuple[Counted, ...], Counted]] = []
                at: Counted | None = name
                while at is not None:
                    who, before = came_from[at]
                    path.append((who, at))
                    at = before
                return path[::-1]
            waiting.extend((other, name) for (other, has), n in flow.items() if has == name and n)
    return []
