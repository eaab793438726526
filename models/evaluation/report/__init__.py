"""Reports of evaluations: values, JSON, an HTML page, and a comparison with an earlier one."""
