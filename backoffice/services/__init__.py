"""Writes by rule: one public function, one transaction."""
