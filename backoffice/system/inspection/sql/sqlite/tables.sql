SELECT m.name AS "table",
       (SELECT count(*) FROM pragma_table_info(m.name)) AS columns,
       (SELECT count(*) FROM pragma_index_list(m.name)) AS indexes,
       (SELECT count(DISTINCT id) FROM pragma_foreign_key_list(m.name)) AS foreign_keys
  FROM sqlite_master m
 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~'
 ORDER BY m.name
