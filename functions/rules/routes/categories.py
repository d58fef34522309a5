"""Routes of rule categories."""

from __future__ import annotations

from functions.rules.schemas.rules import CategoriesOut, CategoryOut
from upid.http.api import Router
from upid.http.params import CurrentCaller, Injected

router = Router("/rules/categories", tag="Rule Categories")


@router.get("", permission="rules:read")
def get_rule_categories(services: Injected, caller: CurrentCaller) -> CategoriesOut:
    """Return the categories with what each covers and the rules that do it."""
    return CategoriesOut.model_validate({"items": services.rules.categories(caller.tenant)})


@router.get("/cpu-optimization", permission="rules:read")
def get_cpu_rules(services: Injected, caller: CurrentCaller) -> CategoryOut:
    """Return the rules of CPU: right-sizing, sustained load, vertical scaling, limits."""
    return CategoryOut.of(services.rules.category(caller.tenant, "cpu-optimization"))


@router.get("/memory-optimization", permission="rules:read")
def get_memory_rules(services: Injected, caller: CurrentCaller) -> CategoryOut:
    """Return the rules of memory: patterns of use, leaks, buffers and caches, OOM kills."""
    return CategoryOut.of(services.rules.category(caller.tenant, "memory-optimization"))


@router.get("/cost-reduction", permission="rules:read")
def get_cost_rules(services: Injected, caller: CurrentCaller) -> CategoryOut:
    """Return the rules of cost: waste, over-provisioning, spot and reserved capacity."""
    return CategoryOut.of(services.rules.category(caller.tenant, "cost-reduction"))


@router.get("/performance-tuning", permission="rules:read")
def get_performance_rules(services: Injected, caller: CurrentCaller) -> CategoryOut:
    """Return the rules of performance: latency, throughput, queues, response times."""
    return CategoryOut.of(services.rules.category(caller.tenant, "performance-tuning"))


@router.get("/availability", permission="rules:read")
def get_availability_rules(services: Injected, caller: CurrentCaller) -> CategoryOut:
    """Return the rules of availability: restarts, health checks, ratios of limits to requests, spreading."""
    return CategoryOut.of(services.rules.category(caller.tenant, "availability"))
