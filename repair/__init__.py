"""Repair and objection cases."""
