"""What all API groups share at the edge: resolver, parameters, problems, paging."""
