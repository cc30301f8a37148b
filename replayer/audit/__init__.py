"""How strict a suite is: every recorded answer and call is falsified, one thing at a time, and it is seen who would notice."""
