"""From a request in words to steps and hosts, without a model; `resolving` is the way in. Pure."""
