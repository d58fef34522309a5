"""What the contracts of the ports do not ask, but AWS makes necessary."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract.cloud import Cloud
from contract.stores import START, SetClock

from upid.adapters.dynamodb.log import OUTBOX
from upid.adapters.dynamodb.store import open_store
from upid.adapters.dynamodb.table import Table, key_of
from upid.adapters.eventbridge.bus import EventBridgeBus
from upid.adapters.kms.sealer import KmsSealer
from upid.adapters.s3.blobs import S3Blobs
from upid.domain.errors import UnavailableError
from upid.domain.events import Event
from upid.ports.events import StoredEvent
from upid.ports.records import Key
from upid.runtime.template import Template


def event(number: int, tenant: str = "a", **data: str) -> Event:
    return Event(f"evt_{number}", "user.created", tenant, "usr_1", START, data)


def test_listing_and_removing_go_on_behind_a_thousand_names(aws: Cloud, tmp_path: Path) -> None:
    blobs = S3Blobs(aws.clients, aws.bucket(tmp_path))
    names = [f"many/{number:04}" for number in range(1010)]
    for name in [*names, "other"]:
        aws.clients.get("s3").put_object(Bucket=aws.bucket(tmp_path), Key=name, Body=b"")
    assert list(blobs.names("many/")) == names
    assert blobs.delete_all("many/") == 1010
    assert list(blobs.names("")) == ["other"]


@pytest.mark.parametrize("service", ["dynamodb", "s3", "kms", "stepfunctions", "events"])
def test_a_service_that_hangs_is_given_up_before_the_function_is(aws: Cloud, service: str) -> None:
    config = aws.clients.get(service).meta.config
    tries = config.retries["total_max_attempts"]
    pauses = sum(2**number for number in range(tries - 1))  # the longest of botocore's standard mode: 1, 2, 4 s

    longest = tries * max(config.connect_timeout, config.read_timeout) + pauses

    assert longest < Template.load().document["Globals"]["Function"]["Timeout"]


def test_blobs_are_encrypted_under_the_key_that_is_named(aws: Cloud, tmp_path: Path) -> None:
    S3Blobs(aws.clients, aws.bucket(tmp_path), key_id=aws.key(tmp_path)).put("a", b"secret")
    found = aws.clients.get("s3").head_object(Bucket=aws.bucket(tmp_path), Key="a")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", aws.key(tmp_path))


def test_an_expired_record_bears_the_whole_second_at_which_dynamodb_may_remove_it(aws: Cloud, tmp_path: Path) -> None:
    store = open_store(aws.clients, aws.table(tmp_path), SetClock())
    store.records.put(Key("p", "s"), {}, expires_at=START + 0.25)
    item = Table(aws.clients, aws.table(tmp_path)).get(key_of("r#p", "#s"))
    assert item is not None
    assert item["expires_at"] == {"N": str(int(START) + 1)}


def test_two_stores_that_both_remember_an_old_end_append_one_after_the_other(aws: Cloud, tmp_path: Path) -> None:
    first, second = (open_store(aws.clients, aws.table(tmp_path), SetClock()) for _ in range(2))
    for number in range(0, 8, 2):
        first.events.append([event(number)])
        second.events.append([event(number + 1), event(number)])
    assert [stored.event.id for stored in first.events.read("a")] == [f"evt_{number}" for number in range(8)]
    assert [stored.event.id for stored in second.events.unpublished()] == [f"evt_{number}" for number in range(8)]


def test_a_note_in_the_outbox_that_was_never_kept_is_passed_over_and_removed_when_it_is_old(aws: Cloud, tmp_path: Path) -> None:
    table, clock = Table(aws.clients, aws.table(tmp_path)), SetClock()
    store = open_store(aws.clients, aws.table(tmp_path), clock)
    note = key_of(OUTBOX, f"{int(START * 1e6):020d}#x")
    table.write({"Put": {"Item": {**note, "tenant": {"S": "b"}, "number": {"S": f"{1:016d}"}, "token": {"S": "x"}}}})
    store.events.append([event(1)])
    assert [stored.event.id for stored in store.events.unpublished()] == ["evt_1"]
    assert table.get(note) is not None
    clock.moment += 3601
    assert [stored.event.id for stored in store.events.unpublished()] == ["evt_1"]
    assert table.get(note) is None


def test_a_bus_takes_what_we_send(aws: Cloud, tmp_path: Path) -> None:
    aws.clients.get("events").create_event_bus(Name="upid")
    bus = EventBridgeBus(aws.clients, "upid", S3Blobs(aws.clients, aws.bucket(tmp_path)))
    stored = [StoredEvent(number, event(number, text="x" * 200_000 * (number % 2 + 1))) for number in range(3)]
    assert list(bus.publish(stored)) == [0, 1, 2]
    assert list(S3Blobs(aws.clients, aws.bucket(tmp_path)).names("")) == ["t/a/events/evt_1.json"]


def test_a_key_that_is_not_there_is_told_and_is_no_damaged_envelope(aws: Cloud) -> None:
    with pytest.raises(UnavailableError, match="The key alias/none of KMS answered GenerateDataKey with NotFoundException"):
        KmsSealer(aws.clients, "alias/none").seal(b"x", context="cl_1")


def test_a_table_that_is_not_there_is_told_by_its_name(aws: Cloud) -> None:
    with pytest.raises(UnavailableError, match="The table none of DynamoDB answered GetItem with ResourceNotFoundException"):
        open_store(aws.clients, "none", SetClock()).records.get(Key("p", "s"))
