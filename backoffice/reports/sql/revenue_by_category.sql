/*---
title = "Revenue by category"
group = "Revenue"
description = "Each line once, under the category it was sold in, rolled up the tree."

[params.from]
type = "date"
label = "From"
default = "first-of-month-12m"

[params.to]
type = "date"
label = "To, not included"
default = "today+1d"
after = "from"

[params.customers]
type = "enum"
label = "Customers"
default = "all"
choices = { all = "All", registered = "Registered only" }

[params.currency]
type = "currency"
label = "Currency"
default = "shop"

[params.depth]
type = "integer"
label = "Levels of the tree"
default = "1"
minimum = 1
maximum = 20

[columns.category]
label = "Category"
format = "text"

[columns.units]
label = "Units"
format = "integer"
total = true

[columns.orders]
label = "Orders"
format = "integer"

[columns.revenue]
label = "Revenue"
format = "money"
total = true

[chart]
type = "bar"
x = "category"
y = "revenue"
---*/
WITH RECURSIVE tree (id, level, shown_id, label) AS (
    SELECT id, 1, id, CAST(name AS text) FROM categories WHERE parent_id IS NULL
    UNION ALL
    -- Below the wanted level a category keeps the place of its parent.
    SELECT
        child.id,
        tree.level + 1,
        CASE WHEN tree.level < :depth THEN child.id ELSE tree.shown_id END,
        CASE WHEN tree.level < :depth THEN tree.label || ' / ' || child.name ELSE tree.label END
    FROM tree
    INNER JOIN categories AS child ON child.parent_id = tree.id
),
lines AS (
    SELECT
        i.order_id,
        i.quantity,
        i.line_total,
        tree.shown_id,
        -- The line remembers where it was sold, also when that category is gone.
        CASE
            WHEN tree.id IS NOT NULL THEN tree.label
            WHEN i.category_id IS NULL AND i.category_path IS NULL THEN '(none)'
            ELSE '(deleted) ' || coalesce(i.category_path, '')
        END AS category
    FROM orders AS o
    INNER JOIN order_items AS i ON i.order_id = o.id
    LEFT JOIN tree ON tree.id = i.category_id
    WHERE o.paid_on >= :from AND o.paid_on < :to
      AND o.currency = :currency
      AND (:customers = 'all' OR o.user_id IS NOT NULL)
)
SELECT
    trim(category) AS category,
    sum(quantity) AS units,
    count(DISTINCT order_id) AS orders,
    sum(line_total) AS revenue
FROM lines
GROUP BY shown_id, category
ORDER BY round(sum(line_total), 2) DESC, category
