"""Paths and hosts that servers read in different ways: no rule grants where one reading names another bucket."""
