"""What a group_mod changes, and what is refused with which error, in the order of precedence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import (
    ANY_GROUP,
    OF11,
    OF12,
    OF13,
    OF14,
    OF15,
    BadActionCode,
    BadPropertyCode,
    BadRequestCode,
    Bucket,
    DecodeError,
    ErrorCode,
    ExperimenterProperty,
    FlowRemoved,
    FlowRemovedReason,
    Group,
    GroupMod,
    GroupModCommand,
    GroupModFailedCode,
    GroupType,
    Match,
    Message,
    Output,
    Port,
    Version,
    WriteActions,
    nicira,
)
from protocol.flows import FlowModFlags
from protocol.groups import (
    BucketId,
    GroupDescReply,
    GroupDescRequest,
    GroupId,
)
from protocol.record import Record
from switch_sim import group_mods
from switch_sim.group_table import MAX_CHAIN
from tests.switch_sim.builders import Bench, flow, flows_of, group, group_stats, groups_of

since_groups = pytest.mark.parametrize("version", [OF11, OF12, OF13, OF14, OF15])
Code = GroupModFailedCode
ADD, MODIFY, DELETE = GroupModCommand.ADD, GroupModCommand.MODIFY, GroupModCommand.DELETE
INSERT, REMOVE = GroupModCommand.INSERT_BUCKET, GroupModCommand.REMOVE_BUCKET


# Adding, changing, deleting (OF1.3.5 6.5 "Group Table Modification Messages")


@since_groups
def test_a_group_is_described_as_it_was_added(version: Version) -> None:
    bench = Bench(version)
    text = "group_id=1,type=select,bucket=weight:3,watch_port:2,actions=output:2"
    bench.say(group(text, version))
    assert groups_of(bench) == [text]


@since_groups
def test_a_group_is_not_added_twice(version: Version) -> None:
    bench = Bench(version)
    bench.say(group("group_id=1,type=all", version))
    assert bench.refusal(group("group_id=1,type=all", version)) == Code.GROUP_EXISTS


@since_groups
def test_a_modified_group_keeps_its_counters_but_not_those_of_its_buckets(
    version: Version,
) -> None:
    # "group top-level statistics are preserved (continued), bucket statistics are reset"
    bench = Bench(version)
    bench.say(group("group_id=1,type=all,bucket=output:2", version))
    bench.say(flow(Match(), Group(1)))
    bench.frames(b"\x02" * 60)
    bench.say(group("group_id=1,type=indirect,bucket=output:3", version, MODIFY))
    assert groups_of(bench) == ["group_id=1,type=indirect,bucket=actions=output:3"]
    stats = group_stats(bench, 1)
    assert (stats.packet_count, stats.byte_count) == (1, 60)
    assert [one.packet_count for one in stats.bucket_stats] == [0]


@since_groups
def test_a_group_that_is_not_there_is_not_modified(version: Version) -> None:
    message = group("group_id=1,type=all", version, MODIFY)
    assert Bench(version).refusal(message) == Code.UNKNOWN_GROUP


@since_groups
def test_a_group_that_is_not_there_is_deleted_without_an_error(version: Version) -> None:
    Bench(version).say(group("group_id=1", version, DELETE))


@since_groups
def test_what_leads_to_a_deleted_group_goes_with_it(version: Version) -> None:
    bench = Bench(version)
    bench.say(group("group_id=1,type=all", version))
    bench.say(group("group_id=2,type=all", version))
    flags = FlowModFlags.SEND_FLOW_REM
    bench.say(flow(Match(in_port=1), Group(1), flags=flags))
    bench.say(flow(Match(in_port=2), instructions=(WriteActions((Group(1),)),), flags=flags))
    bench.say(flow(Match(in_port=3), Group(2), flags=flags))
    told = bench.say(group("group_id=1", version, DELETE))
    removed = [one for one in told if isinstance(one, FlowRemoved)]
    assert [one.match for one in removed] == [Match(in_port=1), Match(in_port=2)]
    assert {one.reason for one in removed} == {FlowRemovedReason.GROUP_DELETE}
    assert [entry.match for entry in flows_of(bench)] == [Match(in_port=3)]
    assert [desc.partition(",")[0] for desc in groups_of(bench)] == ["group_id=2"]


@since_groups
def test_all_groups_are_deleted_with_one_message_chained_or_not(version: Version) -> None:
    bench = Bench(version)
    bench.say(group("group_id=1,type=all", version))
    bench.say(group("group_id=2,type=all,bucket=group:1", version))
    bench.say(group("group_id=all", version, DELETE))
    assert groups_of(bench) == []


@since_groups
def test_modifying_without_buckets_leaves_the_flow_entries(version: Version) -> None:
    bench = Bench(version)
    bench.say(group("group_id=1,type=indirect,bucket=output:2", version))
    bench.say(flow(Match(), Group(1)))
    bench.say(group("group_id=1,type=indirect", version, MODIFY))
    assert len(flows_of(bench)) == 1
    assert bench.out_ports(b"\x02" * 60) == []


def test_open_vswitch_adds_or_modifies_with_one_command() -> None:
    bench = Bench()
    for text in ("group_id=1,type=all", "group_id=1,type=indirect"):
        message = group(text, OF13)
        bench.say(GroupMod(1, message.type, command=nicira.ADD_OR_MODIFY))
        assert groups_of(bench) == [text]


# Buckets of their own (OF1.5.1 "Group Table Modification Messages")


def three_buckets() -> Bench:
    bench = Bench(OF15)
    buckets = ",".join(f"bucket=bucket_id:{number},output:{number}" for number in (1, 2, 3))
    bench.say(group(f"group_id=1,type=all,{buckets}", OF15))
    return bench


def bucket_ids(bench: Bench) -> list[int]:
    [reply] = bench.say(GroupDescRequest(1))
    assert isinstance(reply, GroupDescReply)
    return [bucket.bucket_id for bucket in reply.groups[0].buckets]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (BucketId.FIRST, [8, 9, 1, 2, 3]),
        (BucketId.LAST, [1, 2, 3, 8, 9]),
        (1, [1, 8, 9, 2, 3]),
        (3, [1, 2, 3, 8, 9]),
    ],
)
def test_buckets_are_inserted_at_the_ends_or_behind_another(
    where: int, expected: list[int]
) -> None:
    bench = three_buckets()
    buckets = (Bucket(bucket_id=8), Bucket(bucket_id=9))
    bench.say(GroupMod(1, buckets=buckets, command=INSERT, command_bucket_id=where))
    assert bucket_ids(bench) == expected


@pytest.mark.parametrize(
    ("which", "expected"),
    [(BucketId.FIRST, [2, 3]), (BucketId.LAST, [1, 2]), (2, [1, 3]), (BucketId.ALL, [])],
)
def test_buckets_are_removed_by_number(which: int, expected: list[int]) -> None:
    bench = three_buckets()
    bench.say(GroupMod(1, command=REMOVE, command_bucket_id=which))
    assert bucket_ids(bench) == expected


def test_the_other_buckets_go_on_counting() -> None:
    bench = three_buckets()
    bench.say(flow(Match(), Group(1)))
    bench.frames(b"\x02" * 60)
    new = (Bucket(bucket_id=9),)
    bench.say(GroupMod(1, buckets=new, command=INSERT, command_bucket_id=BucketId.FIRST))
    bench.say(GroupMod(1, command=REMOVE, command_bucket_id=2))
    stats = group_stats(bench, 1)
    assert [one.packet_count for one in stats.bucket_stats] == [0, 1, 1]


@pytest.mark.parametrize("which", [BucketId.FIRST, BucketId.LAST, BucketId.ALL])
def test_there_may_be_nothing_to_remove(which: BucketId) -> None:
    bench = Bench(OF15)
    bench.say(group("group_id=1,type=all", OF15))
    bench.say(GroupMod(1, command=REMOVE, command_bucket_id=which))
    assert bucket_ids(bench) == []


def test_buckets_of_other_versions_are_numbered_from_0() -> None:
    bench = Bench(OF13)
    bench.say(group("group_id=1,type=all,bucket=output:1,bucket=output:2", OF13))
    bench.version, bench.session = OF15, bench.switch.connect(OF15)
    assert bucket_ids(bench) == [0, 1]


def test_weights_mean_the_same_in_all_versions() -> None:
    # A weight that is 0 is no share, one that is left out in OF1.5 is 1.
    bench = Bench(OF15)
    bench.say(GroupMod(1, GroupType.SELECT, (Bucket(weight=None), Bucket(weight=0, bucket_id=1))))
    bench.version, bench.session = OF13, bench.switch.connect(OF13)
    [reply] = bench.say(GroupDescRequest())
    assert isinstance(reply, GroupDescReply)
    assert [bucket.weight or 0 for bucket in reply.groups[0].buckets] == [1, 0]


# Refusals (OF1.3.5 7.4.4.6 "Group Mod Failed": OFPET_GROUP_MOD_FAILED)

NO_WATCH = Bucket(actions=(Output(1),))
FORWARDS = Bucket(actions=(Group(1),))


def chained() -> Bench:
    """Group 1, to which group 2 forwards, and group 3, which lives by group 2."""
    bench = Bench(OF15)
    bench.say(group("group_id=1,type=all", OF15))
    bench.say(group("group_id=2,type=select,bucket=bucket_id:5,weight:1,group:1", OF15))
    bench.say(group("group_id=3,type=ff,bucket=watch_group:2,output:1", OF15))
    return bench


def mod(group_id: int = 9, kind: int = GroupType.ALL, *buckets: Bucket, **fields: int) -> GroupMod:
    return GroupMod(group_id, kind, buckets, **fields)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        # the command
        (mod(command=4), Code.BAD_COMMAND),
        (mod(command=99, group_id=GroupId.ANY, kind=99), Code.BAD_COMMAND),
        # the group_id
        (mod(GroupId.MAX + 1), Code.INVALID_GROUP),
        (mod(GroupId.ALL, kind=99), Code.INVALID_GROUP),
        (mod(GroupId.ALL, command=MODIFY), Code.INVALID_GROUP),
        (mod(GroupId.ANY, command=DELETE), Code.INVALID_GROUP),
        (mod(GroupId.ALL, command=INSERT, command_bucket_id=BucketId.LAST), Code.INVALID_GROUP),
        (mod(GroupId.ALL, command=REMOVE, command_bucket_id=BucketId.LAST), Code.INVALID_GROUP),
        # the command_bucket_id
        (mod(kind=99, command_bucket_id=1), Code.BAD_BUCKET),
        (mod(1, command=MODIFY, command_bucket_id=BucketId.FIRST), Code.BAD_BUCKET),
        (mod(1, command=DELETE, command_bucket_id=BucketId.LAST), Code.BAD_BUCKET),
        (mod(1, command=INSERT, command_bucket_id=BucketId.ALL), Code.BAD_BUCKET),
        (mod(1, command=REMOVE, command_bucket_id=BucketId.MAX + 1), Code.BAD_BUCKET),
        # the type
        (mod(kind=4), Code.BAD_TYPE),
        (mod(1, 4, command=MODIFY), Code.BAD_TYPE),
        # buckets, each for itself
        (mod(9, 0, Bucket(bucket_id=BucketId.MAX + 1)), Code.BAD_BUCKET),
        (mod(9, 0, Bucket(weight=1)), Code.INVALID_GROUP),
        (mod(9, 0, Bucket(watch_port=1)), Code.WATCH_UNSUPPORTED),
        (mod(9, 2, Bucket(watch_group=1)), Code.WATCH_UNSUPPORTED),
        (mod(9, 3, NO_WATCH), Code.INVALID_GROUP),
        (mod(9, 3, Bucket(watch_port=Port.FLOOD)), Code.BAD_WATCH),
        (mod(9, 1, Bucket(watch_port=0)), Code.BAD_WATCH),
        (mod(9, 0, Bucket(actions=(Output(0),))), BadActionCode.BAD_OUT_PORT),
        (mod(1, 0, Bucket(actions=(Output(Port.TABLE),))), BadActionCode.BAD_OUT_PORT),
        # buckets together
        (mod(9, 0, Bucket(), Bucket()), Code.BAD_BUCKET),
        (mod(9, 2, Bucket(), Bucket(bucket_id=1)), Code.INVALID_GROUP),
        (mod(1, 0, Bucket(), command=DELETE), Code.INVALID_GROUP),
        (mod(1, 0, Bucket(), command=REMOVE, command_bucket_id=1), Code.BAD_BUCKET),
        # whether the group is there
        (mod(1), Code.GROUP_EXISTS),
        (mod(1, 0, Bucket(actions=(Group(99),))), Code.GROUP_EXISTS),
        (mod(9, command=MODIFY), Code.UNKNOWN_GROUP),
        (mod(9, command=INSERT, command_bucket_id=BucketId.LAST), Code.UNKNOWN_GROUP),
        (mod(9, command=REMOVE, command_bucket_id=BucketId.LAST), Code.UNKNOWN_GROUP),
        # the buckets that are there
        (mod(2, 0, Bucket(), command=INSERT, command_bucket_id=9), Code.UNKNOWN_BUCKET),
        (mod(2, command=REMOVE, command_bucket_id=9), Code.UNKNOWN_BUCKET),
        (
            mod(2, 0, Bucket(bucket_id=5), command=INSERT, command_bucket_id=BucketId.LAST),
            Code.BUCKET_EXISTS,
        ),
        # where they lead
        (mod(9, 3, Bucket(watch_group=99)), Code.BAD_WATCH),
        (mod(9, 3, Bucket(watch_group=99, actions=(Group(98),))), Code.BAD_WATCH),
        (mod(9, 0, Bucket(actions=(Group(99),))), BadActionCode.BAD_OUT_GROUP),
        (mod(9, 0, Bucket(actions=(Group(9),))), Code.LOOP),
        (mod(9, 3, Bucket(watch_group=9)), Code.LOOP),
        (mod(1, 0, Bucket(actions=(Group(2),)), command=MODIFY), Code.LOOP),
        (mod(1, 3, Bucket(watch_group=3), command=MODIFY), Code.LOOP),
        (
            mod(1, 0, Bucket(actions=(Group(2),)), command=INSERT, command_bucket_id=BucketId.LAST),
            Code.LOOP,
        ),
        (mod(1, command=DELETE), Code.CHAINED_GROUP),
        # nothing is wrong with these
        (mod(2, command=DELETE), None),
        (mod(9, 3, Bucket(watch_port=99)), None),
        (mod(9, 3, Bucket(watch_port=Port.LOCAL)), None),
        (mod(9, 1, Bucket(watch_group=2, actions=(Group(1),))), None),
        (mod(GroupId.MAX), None),
    ],
)
def test_what_cannot_be_is_refused(message: GroupMod, expected: ErrorCode | None) -> None:
    bench = chained()
    before = groups_of(bench)
    assert bench.refusal(message) == expected
    if expected is not None:
        assert groups_of(bench) == before


@pytest.mark.parametrize("command", [ADD, MODIFY])
def test_properties_of_others_are_unknown(command: GroupModCommand) -> None:
    bench = chained()
    foreign = (ExperimenterProperty(0x1234_5678),)
    message = GroupMod(9 if command == ADD else 1, command=command, properties=foreign)
    assert bench.refusal(message) == BadPropertyCode.BAD_EXPERIMENTER
    message = GroupMod(9, buckets=(Bucket(properties=foreign),))
    assert bench.refusal(message) == BadPropertyCode.BAD_EXPERIMENTER


METHOD = nicira.SelectionMethod("hash", 7, Match(eth_dst=0xFFFF_0000_0000))


@pytest.mark.parametrize(
    ("kind", "properties", "expected"),
    [
        (GroupType.SELECT, (METHOD,), None),
        (GroupType.SELECT, (nicira.SelectionMethod("dp_hash"),), None),
        (GroupType.ALL, (METHOD,), BadPropertyCode.BAD_EXP_VALUE),
        (GroupType.SELECT, (nicira.SelectionMethod("fate"),), BadPropertyCode.BAD_EXP_VALUE),
        (
            GroupType.SELECT,
            (nicira.SelectionMethod("dp_hash", 0, METHOD.fields),),
            BadPropertyCode.BAD_EXP_VALUE,
        ),
        (GroupType.SELECT, (METHOD, METHOD), BadPropertyCode.DUP_TYPE),
        (
            GroupType.SELECT,
            (ExperimenterProperty(nicira.NETRONOME, 2),),
            BadPropertyCode.BAD_EXP_TYPE,
        ),
    ],
)
def test_only_known_selection_methods_are_taken(
    kind: GroupType, properties: tuple[Record, ...], expected: ErrorCode | None
) -> None:
    bench = Bench(OF15)
    message = GroupMod(1, kind, (Bucket((Output(2),)),), properties=properties)
    assert bench.refusal(message) == expected
    if expected is None:
        [reply] = bench.say(GroupDescRequest())
        assert isinstance(reply, GroupDescReply)
        assert reply.groups[0].properties == properties


@pytest.mark.parametrize("end", ["800018", "8000180", "80001804ff", "8000180400000000ff"])
def test_fields_of_a_selection_method_that_are_cut_short_are_refused(end: str) -> None:
    whole = GroupMod(1, GroupType.SELECT, properties=(nicira.SelectionMethod("hash"),))
    fields = bytes.fromhex(end.ljust(len(end) + len(end) % 2, "0"))
    raw = bytearray(whole.encode(OF15))
    at = raw.index(b"\xff\xff\x00\x28")
    raw[at + 3] += len(fields)
    raw += fields + bytes(-len(fields) % 8)
    raw[2:4] = len(raw).to_bytes(2, "big")
    with pytest.raises(DecodeError) as refused:
        Message.decode(bytes(raw))
    assert refused.value.code == BadPropertyCode.BAD_LEN


def test_a_selection_method_stays_when_buckets_come_and_go() -> None:
    bench = Bench(OF15)
    bench.say(GroupMod(1, GroupType.SELECT, properties=(METHOD,)))
    new = (Bucket((Output(2),)),)
    bench.say(GroupMod(1, buckets=new, command=INSERT, command_bucket_id=BucketId.LAST))
    [reply] = bench.say(GroupDescRequest())
    assert isinstance(reply, GroupDescReply)
    assert reply.groups[0].properties == (METHOD,)
    # Before OF1.5 groups have no properties to tell.
    bench.version, bench.session = OF13, bench.switch.connect(OF13)
    assert groups_of(bench) == ["group_id=1,type=select,bucket=weight:1,actions=output:2"]


def test_bucket_commands_came_with_openflow_15() -> None:
    bench = Bench(OF14)
    bench.say(group("group_id=1,type=all", OF14))
    assert bench.refusal(GroupMod(1, command=INSERT)) == Code.BAD_COMMAND
    assert bench.refusal(GroupMod(1, command=REMOVE)) == Code.BAD_COMMAND


@pytest.mark.parametrize("version", [OF11, OF12])
def test_up_to_openflow_12_buckets_of_what_is_deleted_are_passed_over(version: Version) -> None:
    bench = Bench(version)
    bench.say(GroupMod(1, buckets=(NO_WATCH,), command=DELETE))


def test_openflow_11_says_the_nearest_that_it_has() -> None:
    bench = Bench(OF11)
    bench.say(group("group_id=1,type=all", OF11))
    bench.say(group("group_id=2,type=all,bucket=group:1", OF11))
    assert bench.refusal(mod(kind=9)) == Code.INVALID_GROUP
    assert bench.refusal(mod(command=9)) == Code.INVALID_GROUP
    assert bench.refusal(mod(9, 3, Bucket(watch_port=Port.FLOOD))) == Code.WATCH_UNSUPPORTED
    assert bench.refusal(mod(1, command=DELETE)) == BadRequestCode.EPERM


def test_groups_of_a_type_are_so_many_and_no_more() -> None:
    bench = Bench()
    bench.switch.datapath.groups.max_groups = 2
    for number in (1, 2):
        bench.say(mod(number))
    assert bench.refusal(mod(3)) == Code.OUT_OF_GROUPS
    bench.say(mod(3, GroupType.SELECT))
    # Changing its type, a group counts among the others.
    assert bench.refusal(mod(3, command=MODIFY)) == Code.OUT_OF_GROUPS
    bench.say(mod(1, command=DELETE))
    bench.say(mod(3, command=MODIFY))


def test_buckets_of_a_group_are_so_many_and_no_more() -> None:
    bench = Bench(OF15)
    many = tuple(Bucket(bucket_id=number) for number in range(group_mods.MAX_BUCKETS))
    bench.say(GroupMod(1, buckets=many))
    one = (Bucket(bucket_id=len(many)),)
    message = GroupMod(1, buckets=one, command=INSERT, command_bucket_id=BucketId.LAST)
    assert bench.refusal(message) == Code.OUT_OF_BUCKETS
    assert len(bucket_ids(bench)) == len(many)


def test_a_group_that_no_reply_could_describe_is_out_of_buckets() -> None:
    bench = Bench(OF15)
    actions = tuple(Output(1) for _ in range(2_000))
    bench.say(GroupMod(1, buckets=(Bucket(actions),)))
    message = GroupMod(
        *(1, GroupType.ALL, (Bucket((*actions, *actions[:1_900]), bucket_id=1),)),
        command=INSERT,
        command_bucket_id=BucketId.LAST,
    )
    assert bench.refusal(message) == Code.OUT_OF_BUCKETS
    assert bucket_ids(bench) == [0]


def test_chains_are_so_long_and_no_longer() -> None:
    bench = Bench()
    bench.say(mod(0))
    for number in range(1, MAX_CHAIN):
        bench.say(mod(number, 0, Bucket(actions=(Group(number - 1),))))
    end = mod(99, 0, Bucket(actions=(Group(MAX_CHAIN - 1),)))
    assert bench.refusal(end) == Code.CHAINING_UNSUPPORTED
    # It is no way round to make the chain longer at its other end.
    bench.say(mod(100))
    longer = mod(0, 0, Bucket(actions=(Group(100),)), command=MODIFY)
    assert bench.refusal(longer) == Code.CHAINING_UNSUPPORTED


def test_a_group_that_comes_back_is_where_others_still_watch_it() -> None:
    bench = Bench()
    for number in range(MAX_CHAIN + 1):
        bench.say(mod(number, 3, Bucket(watch_port=2)))
        if number:
            bench.say(mod(number - 1, command=DELETE))
            watching = mod(number - 1, 3, Bucket(watch_group=number))
            expected = Code.CHAINING_UNSUPPORTED if number == MAX_CHAIN else None
            assert bench.refusal(watching) == expected


def test_a_group_that_comes_back_does_not_close_a_circle() -> None:
    bench = Bench()
    bench.say(mod(5, 3, Bucket(watch_port=2)))
    bench.say(mod(6, 3, Bucket(watch_group=5)))
    bench.say(mod(5, command=DELETE))
    assert bench.refusal(mod(5, 3, Bucket(watch_group=6))) == Code.LOOP
    assert bench.refusal(mod(5, 0, Bucket(actions=(Group(6),)))) == Code.LOOP


def test_groups_are_as_before_when_all_is_taken_back() -> None:
    bench = chained()
    before = groups_of(bench)
    undo = bench.switch.datapath.undo
    bench.say(flow(Match(), Group(2)))
    undo.begin()
    bench.say(mod(5))
    bench.say(mod(1, 0, Bucket(actions=(Group(5),)), command=MODIFY))
    bench.say(group("group_id=all", OF15, DELETE))
    assert groups_of(bench) == []
    undo.roll_back()
    assert groups_of(bench) == before
    assert len(flows_of(bench)) == 1
    assert [group_stats(bench, number).ref_count for number in (1, 2, 3)] == [1, 1, 0]
    assert bench.refusal(mod(1, command=DELETE)) == Code.CHAINED_GROUP


@since_groups
def test_a_flow_entry_cannot_lead_to_a_group_that_is_not_there(version: Version) -> None:
    bench = Bench(version)
    assert bench.refusal(flow(Match(), Group(1))) == BadActionCode.BAD_OUT_GROUP
    bench.say(group("group_id=1,type=all", version))
    bench.say(flow(Match(), Group(1)))
    assert bench.refusal(flow(Match(), Group(ANY_GROUP))) == BadActionCode.BAD_OUT_GROUP


# Whatever is asked


def random_mods(most: int) -> st.SearchStrategy[GroupMod]:
    ids = st.integers(0, most)
    forwards = st.lists(ids.map(Group), max_size=1).map(tuple)
    buckets = st.builds(Bucket, forwards, watch_group=ids | st.just(ANY_GROUP))
    changes = st.builds(
        GroupMod,
        ids,
        st.just(GroupType.SELECT),
        st.lists(buckets, max_size=2).map(tuple),
        st.just(nicira.ADD_OR_MODIFY),
    )
    return changes | st.builds(GroupMod, ids, command=st.just(DELETE))


@settings(max_examples=200)
@given(st.integers(1, 5).flatmap(lambda most: st.lists(random_mods(most), max_size=40)))
def test_chained_groups_never_loop(messages: list[GroupMod]) -> None:
    bench = Bench()
    groups = bench.switch.datapath.groups
    for message in messages:
        bench.ask(message)
        for group_id, entry in groups.items():
            assert group_id not in groups.reach(entry.targets | entry.watched)
            assert entry.targets <= groups.keys()
            above = {one for one in groups if group_id in groups[one].targets}
            assert set(groups.forwarders(group_id)) == above
    for group_id in groups:
        groups.lives(group_id)
