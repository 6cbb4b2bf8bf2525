/*---
title = "Net sales by month"
group = "Revenue"
description = "What paid orders brought in, less what was given back, each in the month in which it happened."

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

[columns.month]
label = "Month"
format = "month"

[columns.revenue]
label = "Revenue"
format = "money"
total = true

[columns.refunds]
label = "Refunds"
format = "money"
total = true

[columns.net]
label = "Net sales"
format = "money"
total = true

[columns.running_total]
label = "Running total"
format = "money"

[chart]
type = "bar"
x = "month"
y = "net"
---*/
WITH RECURSIVE bounds AS (
    -- A month as one number, year * 12 + month - 1, because the databases step dates differently.
    SELECT
        CAST(substr(CAST(:from AS text), 1, 4) AS integer) * 12
        + CAST(substr(CAST(:from AS text), 6, 2) AS integer) - 1 AS first_month,
        CAST(substr(CAST(:to AS text), 1, 4) AS integer) * 12
        + CAST(substr(CAST(:to AS text), 6, 2) AS integer) - 1
        -- The end is not included: the first of a month ends the month before.
        - CASE WHEN substr(CAST(:to AS text), 9, 2) = '01' THEN 1 ELSE 0 END AS last_month
),
spine (number) AS (
    SELECT first_month FROM bounds
    UNION ALL
    SELECT number + 1 FROM spine WHERE number < (SELECT last_month FROM bounds)
),
months AS (
    SELECT CAST(number / 12 AS text) || '-' || substr(CAST(101 + number % 12 AS text), 2) AS month
    FROM spine
),
paid AS (
    SELECT substr(CAST(o.paid_on AS text), 1, 7) AS month, sum(i.line_total) AS revenue
    FROM orders AS o
    INNER JOIN order_items AS i ON i.order_id = o.id
    WHERE o.paid_on >= :from AND o.paid_on < :to
      AND o.currency = :currency
      AND (:customers = 'all' OR o.user_id IS NOT NULL)
    GROUP BY 1
),
returned AS (
    SELECT substr(CAST(r.processed_on AS text), 1, 7) AS month, sum(i.amount) AS refunds
    FROM refunds AS r
    INNER JOIN refund_items AS i ON i.refund_id = r.id
    WHERE r.status = 'succeeded'
      AND r.processed_on >= :from AND r.processed_on < :to
      AND r.currency = :currency
      AND (:customers = 'all' OR r.user_id IS NOT NULL)
    GROUP BY 1
),
sums AS (
    SELECT
        months.month,
        coalesce(paid.revenue, 0) AS revenue,
        coalesce(returned.refunds, 0) AS refunds
    FROM months
    LEFT JOIN paid ON paid.month = months.month
    LEFT JOIN returned ON returned.month = months.month
)
SELECT
    month,
    revenue,
    refunds,
    revenue - refunds AS net,
    sum(revenue - refunds) OVER (ORDER BY month ROWS UNBOUNDED PRECEDING) AS running_total
FROM sums
ORDER BY month
