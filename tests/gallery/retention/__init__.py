"""Tests of app/gallery/retention."""
