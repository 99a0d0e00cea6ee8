"""Tests of the functions of the library."""
