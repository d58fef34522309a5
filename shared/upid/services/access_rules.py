"""What an account in a cluster needs to be allowed, and the manifest that allows exactly that: one table for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from upid.domain.objects import Permission

Purpose = Literal["collect", "show", "apply"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources of a group, and what they are for: `collect` is needed, `show` makes more visible, `apply` is for rollouts."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    purpose: Purpose

    def permissions(self) -> Sequence[Permission]:
        """Return each permission of the rule by itself; of verbs that only go together, the first stands for all."""
        return [Permission(self.group, resource, self.verbs[0]) for resource in self.resources]


RULES: Final = (
    Rule("", ("namespaces", "nodes", "pods"), ("list",), "collect"),
    Rule("apps", ("deployments", "statefulsets", "daemonsets", "replicasets"), ("list",), "collect"),
    Rule("batch", ("jobs", "cronjobs"), ("list",), "collect"),
    Rule("autoscaling", ("horizontalpodautoscalers",), ("list",), "collect"),
    Rule("", ("services", "configmaps", "persistentvolumeclaims"), ("list",), "show"),
    Rule("argoproj.io", ("rollouts",), ("list",), "show"),
    Rule("metrics.k8s.io", ("nodes", "pods"), ("list",), "show"),
    Rule("apps", ("deployments", "statefulsets", "daemonsets"), ("patch", "get"), "apply"),
    Rule("batch", ("cronjobs",), ("patch", "get"), "apply"),
    Rule("argoproj.io", ("rollouts",), ("patch", "get"), "apply"),
    Rule("", ("pods/resize",), ("patch",), "apply"),
)
# Listing Secrets lets an account read them, so no manifest asks for it: who wants them shown adds it himself.
SECRETS: Final = Rule("", ("secrets",), ("list",), "show")

HEAD: Final = """\
apiVersion: v1
kind: Namespace
metadata:
  name: upid
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: upid
  namespace: upid
---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: upid-token
  namespace: upid
  annotations:
    kubernetes.io/service-account.name: upid
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: upid
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: upid
subjects:
- kind: ServiceAccount
  name: upid
  namespace: upid
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: upid
rules:
"""


def manifest(*, apply: bool) -> str:
    """Return the manifest (YAML) of a service account with what collecting and showing need, and with what rollouts need where they are wanted."""
    rules = [rule for rule in RULES if apply or rule.purpose != "apply"]
    return HEAD + "".join(
        f"- apiGroups: [{_listed((rule.group,))}]\n  resources: [{_listed(rule.resources)}]\n  verbs: [{_listed(rule.verbs)}]\n"
        for rule in rules
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
