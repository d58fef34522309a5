"""`upid scan` with sources other than a Prometheus."""

from __future__ import annotations

from outside.authority import Authority, https
from outside.cluster import Body
from outside.scanning import AT, World
from outside.serving import Reply

from upid.cli.main import main
from upid.domain.times import format_time

GROUP = "/apis/metrics.k8s.io/v1beta1"


def measured(world: World) -> None:
    """Give the cluster a metrics-server that has just seen its pods."""
    names = [f"web-5d4f9c-{number:03}" for number in range(2)]
    used: list[Body] = [{"name": "app", "usage": {"cpu": "250m", "memory": "512Mi"}}]
    items = [
        {"metadata": {"name": n, "namespace": "shop"}, "timestamp": format_time(AT - 20), "window": "15s", "containers": used}
        for n in names
    ]
    world.cluster.overrides[GROUP] = Reply({"resources": [{"name": "pods"}]})
    world.cluster.overrides[f"{GROUP}/namespaces/shop/pods"] = Reply({"metadata": {}, "items": items})


def run(world: World, *arguments: str) -> tuple[int, str, str]:
    world.capture.readouterr()
    status = main(["scan", "--kubeconfig", world.kubeconfig(), "--source", "metrics-server", "--at", str(AT), *arguments])
    return status, *world.capture.readouterr()


def test_one_sample_of_metrics_server_is_evidence_and_too_little_to_recommend_from(world: World) -> None:
    measured(world)
    status, out, err = run(world, "--output", "csv")

    head, row = (line.split(",") for line in out.splitlines())
    found = dict(zip(head, row, strict=False))
    assert status == 0
    assert (found["status"], found["withheld_code"]) == ("withheld", "not_enough_data")
    assert (found["cpu_cores_max"], found["memory_bytes_max"], found["pods"], found["samples"]) == ("0.25", str(float(2**29)), "2", "1")
    assert "no history" in err


def test_a_cluster_without_metrics_server_is_told(world: World) -> None:
    status, out, err = run(world)

    assert (status, out) == (1, "")
    assert "has no metrics-server" in err


def test_a_url_and_metrics_server_are_a_usage_error(world: World) -> None:
    assert run(world, "--prometheus-url", world.prometheus_url)[0] == 2


def test_no_url_is_a_usage_error(world: World) -> None:
    world.capture.readouterr()

    assert main(["scan", "--kubeconfig", world.kubeconfig()]) == 2
    assert "--prometheus-url" in world.capture.readouterr().err


def test_matchers_stand_in_every_query(world: World) -> None:
    outcome = world.run("--cluster-label", "cluster=prod", "--matcher", 'env=~"a|b"')

    asked = [line for line in world.metrics.asked if "container_" in line or "kube_" in line]
    assert outcome.status == 1  # the series of this store have no such labels
    assert all('cluster="prod",env=~"a|b"' in line for line in asked)


def test_an_authority_comes_from_a_file(world: World) -> None:
    signer = Authority()
    file, folder = world.folder / "authority.pem", world.folder
    file.write_bytes(signer.pem)
    with https(signer, folder) as world.prometheus_url:
        unknown, known = world.run(), world.run("--certificate-authority", str(file))

    unknown.assert_refused(1, "authority that is not known here")
    assert "cannot be trusted" not in known.err
    world.run("--certificate-authority", str(folder / "none")).assert_refused(1, "certificate authority's file", "cannot be read")
    file.write_text("\n")
    world.run("--certificate-authority", str(file)).assert_refused(1, "is empty")
    file.write_text("no PEM")
    world.run("--certificate-authority", str(file)).assert_refused(2, "#/certificate_authority")


def test_a_tenant_is_a_header(world: World) -> None:
    assert world.run("--source", "mimir", "--tenant", "team-a").status == 0
    assert world.run("--tenant", "team-a").status == 2
