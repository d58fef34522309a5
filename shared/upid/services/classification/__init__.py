"""Classification of workloads: their classes with evidence, and which are alike."""
