"""Traffic -> capture -> cases."""
