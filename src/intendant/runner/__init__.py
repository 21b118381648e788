"""Running Ansible: one protocol, the real runner behind ansible-runner, and a scripted one for tests."""
