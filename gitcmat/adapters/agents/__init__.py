"""Agents: each turns a prompt into work in a directory."""
