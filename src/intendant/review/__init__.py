"""The review page: a plan on loopback, where a person reads it whole and answers."""
