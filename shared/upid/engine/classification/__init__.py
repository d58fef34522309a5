"""Classes of workloads: by resources, traffic and scaling; and how alike workloads are."""
