SELECT sqlite_version() AS version,
       (SELECT journal_mode FROM pragma_journal_mode) AS journal_mode,
       page_count, page_size AS page_bytes, page_count * page_size AS size_bytes,
       freelist_count * page_size AS free_bytes,
       freelist_count / CAST(max(page_count, 1) AS REAL) AS free_ratio,
       (SELECT auto_vacuum FROM pragma_auto_vacuum) <> 0 AS gives_room_back,
       EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1') AS has_statistics
  FROM pragma_page_count, pragma_page_size, pragma_freelist_count
