"""Usage history in InfluxDB: what servers of 1.x, 2.x (its v1 interface) and 3.x share, and so Amazon Timestream for InfluxDB."""
