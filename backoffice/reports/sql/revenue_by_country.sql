/*---
title = "Revenue by country"
group = "Revenue"
description = "Where paid orders came from, by the country of the order."

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

[columns.country]
label = "Country"
format = "text"

[columns.orders]
label = "Orders"
format = "integer"
total = true

[columns.customers]
label = "Customers"
format = "integer"

[columns.revenue]
label = "Revenue"
format = "money"
total = true

[chart]
type = "bar"
x = "country"
y = "revenue"
---*/
WITH paid AS (
    SELECT
        coalesce(nullif(trim(o.country), ''), '(unknown)') AS country,
        coalesce('u' || o.user_id, lower(o.email)) AS customer,
        sum(i.line_total) AS revenue
    FROM orders AS o
    INNER JOIN order_items AS i ON i.order_id = o.id
    WHERE o.paid_on >= :from AND o.paid_on < :to
      AND o.currency = :currency
      AND (:customers = 'all' OR o.user_id IS NOT NULL)
    GROUP BY o.id
)
SELECT
    country,
    count(*) AS orders,
    count(DISTINCT customer) AS customers,
    sum(revenue) AS revenue
FROM paid
GROUP BY country
ORDER BY round(sum(revenue), 2) DESC, country
