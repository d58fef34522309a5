from __future__ import annotations

import pytest
from adapters.kubernetes.playing import CRON_JOBS, DEPLOYMENTS, JOBS, KNOWN, NAMESPACES, PODS, Api, asking, box, pod, refusal, workload
from outside.serving import Reply

from upid.adapters.kubernetes.errors import ApiServerError
from upid.domain.errors import ForbiddenError, UnauthenticatedError
from upid.domain.inventory import Unreadable


def test_lists_are_read_page_by_page_to_their_end(api: Api) -> None:
    api.add(DEPLOYMENTS, *(workload("a", f"w{n:02}") for n in range(23)))

    assert len(api.inventory(page=5).workloads) == 23
    pages = [request.param("continue") for request in api.asked if request.path == DEPLOYMENTS]
    assert pages == ["", "5", "10", "15", "20"]


def test_a_list_that_expired_in_the_middle_is_read_anew_once_without_doubles(api: Api) -> None:
    api.add(DEPLOYMENTS, *(workload("a", f"w{n}") for n in range(4)))
    first = Reply({"metadata": {"continue": "2"}, "items": api.lists[DEPLOYMENTS][:2]})
    api.stumbles[DEPLOYMENTS] = [first, refusal(410, "the provided continue parameter is too old")]

    inventory = api.inventory(page=2)

    assert [w.name for w in inventory.workloads] == ["w0", "w1", "w2", "w3"]
    assert inventory.unreadable == ()


def test_a_list_that_expires_again_is_named_as_unreadable(api: Api) -> None:
    api.always[DEPLOYMENTS] = refusal(410, "too old")

    assert [u.what for u in api.inventory().unreadable] == ["deployments"]


def test_a_list_that_goes_in_circles_is_given_up(api: Api) -> None:
    api.always[DEPLOYMENTS] = Reply({"metadata": {"continue": "same"}, "items": []})

    assert api.inventory().unreadable == (Unreadable("deployments", f"The Kubernetes API does not get on in its list {DEPLOYMENTS}."),)


def test_a_list_without_items_is_empty(api: Api) -> None:
    api.always[DEPLOYMENTS] = Reply({"metadata": {}, "items": None})

    assert api.inventory().workloads == ()


def test_kinds_that_the_server_does_not_know_are_none_of_it(api: Api) -> None:
    for path in (CRON_JOBS, JOBS):
        del api.lists[path]
    api.add(DEPLOYMENTS, workload("a", "web"))

    inventory = api.inventory()

    assert (len(inventory.workloads), inventory.unreadable) == (1, ())


def test_a_kind_that_is_refused_stands_as_unreadable_beside_the_others(api: Api) -> None:
    api.always[CRON_JOBS] = refusal(403, 'cronjobs.batch is forbidden: User "ci" cannot list')
    api.add(DEPLOYMENTS, workload("a", "web"))

    inventory = api.inventory()

    assert len(inventory.workloads) == 1
    assert [(u.what, "cannot list" in u.reason) for u in inventory.unreadable] == [("cronjobs", True)]


def test_a_malformed_quantity_makes_its_workload_unreadable_and_names_it(api: Api) -> None:
    api.add(DEPLOYMENTS, workload("a", "bad", box(**asking("half"))), workload("a", "good"))

    inventory = api.inventory()

    assert [w.name for w in inventory.workloads] == ["good"]
    assert inventory.unreadable == (Unreadable("Deployment a/bad", "container app: 'half' is no Kubernetes quantity."),)


@pytest.mark.parametrize(
    "body", [{}, {"metadata": None}, {"metadata": {"name": "x"}, "spec": {"template": 3}}, {"metadata": {"name": "x", "labels": []}}]
)
def test_a_malformed_object_is_named_and_takes_nothing_else_with_it(api: Api, body: dict[str, object]) -> None:
    api.always[DEPLOYMENTS] = Reply({"items": [body]})
    api.add(PODS, pod("a", "shell"))

    inventory = api.inventory()

    assert [w.kind for w in inventory.workloads] == ["Pod"]
    assert len(inventory.unreadable) == 1
    assert inventory.unreadable[0].what.startswith("Deployment ")


@pytest.mark.parametrize(("status", "kind"), [(401, UnauthenticatedError), (403, ForbiddenError)])
def test_where_nothing_can_be_read_that_is_the_error(api: Api, status: int, kind: type[Exception]) -> None:
    api.always |= {path: refusal(status) for path in (*KNOWN, NAMESPACES)}

    with pytest.raises(kind):
        api.inventory()


def test_what_answers_html_is_no_kubernetes_api(api: Api) -> None:
    api.always[NAMESPACES] = Reply(b"<html>welcome</html>", headers={"Content-Type": "text/html"})

    with pytest.raises(ApiServerError, match="is no Kubernetes API: its answer is not JSON"):
        api.inventory()


def test_what_knows_no_namespaces_is_no_kubernetes_api(api: Api) -> None:
    api.always[NAMESPACES] = refusal(404)

    with pytest.raises(ApiServerError, match="is no Kubernetes API"):
        api.inventory()
