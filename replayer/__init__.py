"""Cases -> requests, mocks, differences, verdicts."""
