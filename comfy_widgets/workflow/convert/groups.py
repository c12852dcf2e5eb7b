from __future__ import annotations
def is_group_type(t): return False
def group_scope(*a): return None
