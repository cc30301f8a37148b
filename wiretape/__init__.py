"""wiretape: record real traffic into YAML test cases, replay them against a new build."""

__version__ = "0.1.0"
