"""The yardstick: our rule as a curve and the published ones as points, on traces, seven days seen and the next one judged."""
