"""Statistics over rows: quantiles, trends, effective sample sizes."""
