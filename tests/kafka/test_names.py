"""Tests of the names of an application's topics and groups."""

from dataclasses import replace

from catdog_stream.kafka.names import Names, changelog_of, recount_group


def test_the_default_names_are_those_of_the_first_clients() -> None:
    names = Names.of("catdog_stream")
    assert names == Names()
    assert names.topics == ("catdogimage", "catdoglabel", "catdogimage-rejected")
    assert (names.votes, names.replayed, names.stacks) == (
        *("catdogvote", "catdogimage-replayed", "catdogstack"),
    )
    assert (names.group, names.jury) == ("catdog_stream", "catdog_stream-jury")
    assert names.group_of("lite") == "catdog_stream-voter-lite"
    assert names.stacks_of("lite") == "catdogstack-lite"
    assert recount_group(names.group) == "catdog_stream-recount"
    assert changelog_of(names.group, "label_counts") == "catdog_stream-label_counts-changelog"


def test_two_applications_have_no_name_in_common() -> None:
    def every(names: Names) -> set[str]:
        tasks = {*names.topics, names.votes, names.replayed, names.stacks}
        return tasks | {names.group, names.jury, names.group_of("a"), names.stacks_of("a")}

    assert not every(Names.of("birds")) & every(Names())
    assert len(every(Names.of("birds"))) == len(every(Names()))


def test_a_topic_with_two_tasks_is_named() -> None:
    assert Names().repeated is None
    assert replace(Names(), labels="catdogimage").repeated == "catdogimage"
