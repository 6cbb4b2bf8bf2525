SELECT c.oid::regclass::text AS "table",
       greatest(age(c.relfrozenxid), age(t.relfrozenxid)) AS transaction_age,
       greatest(age(c.relfrozenxid), age(t.relfrozenxid)) / 2147483648.0::float8 AS used_ratio,
       mxid_age(c.relminmxid) / 2147483648.0::float8 AS used_by_row_locks_ratio
  FROM pg_class c
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
 WHERE c.relkind IN ('r', 'm')
 ORDER BY greatest(age(c.relfrozenxid), age(t.relfrozenxid), mxid_age(c.relminmxid)) DESC
 LIMIT 5
