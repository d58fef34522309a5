"""The metrics source over a Prometheus HTTP API (Prometheus, Thanos, Mimir, VictoriaMetrics)."""
