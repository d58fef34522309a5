"""How systems perform: throughput, latency, saturation, queues, bottlenecks."""
