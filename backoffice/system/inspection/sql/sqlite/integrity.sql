SELECT group_concat(quick_check, '; ') AS quick_check FROM pragma_quick_check(3)
