/*---
title = "Top customers"
group = "Revenue"
description = "Who spent most; the rest follows in rows of its own, so that the total is everything."

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

[params.limit]
type = "integer"
label = "How many"
default = "10"
minimum = 1
maximum = 1000

[columns.rank]
label = "Rank"
format = "integer"

[columns.customer]
label = "Customer"
format = "text"
personal = true

[columns.name]
label = "Name"
format = "text"
personal = true

[columns.orders]
label = "Orders"
format = "integer"
total = true

[columns.revenue]
label = "Revenue"
format = "money"
total = true

[chart]
type = "bar"
x = "customer"
y = "revenue"
only = "rank"
---*/
WITH paid AS (
    SELECT
        o.user_id,
        -- A guest is known by the address alone; a guest without one is nobody in particular.
        CASE WHEN o.user_id IS NULL THEN lower(o.email) END AS email,
        max(o.customer_name) AS name,
        sum(i.line_total) AS revenue
    FROM orders AS o
    INNER JOIN order_items AS i ON i.order_id = o.id
    WHERE o.paid_on >= :from AND o.paid_on < :to
      AND o.currency = :currency
      AND (:customers = 'all' OR o.user_id IS NOT NULL)
    GROUP BY o.id
),
customers AS (
    SELECT
        user_id,
        email,
        max(name) AS name,
        count(*) AS orders,
        sum(revenue) AS revenue
    FROM paid
    GROUP BY user_id, email
),
ranked AS (
    SELECT
        c.name,
        c.orders,
        c.revenue,
        coalesce(users.username, c.email) AS customer,
        nullif(profiles.full_name, '') AS full_name,
        row_number() OVER (
            -- Nobody in particular comes last and never pushes a customer out.
            ORDER BY
                CASE WHEN c.user_id IS NULL AND c.email IS NULL THEN 1 ELSE 0 END,
                round(c.revenue, 2) DESC, coalesce(users.username, c.email)
        ) AS rank
    FROM customers AS c
    LEFT JOIN users ON users.id = c.user_id
    LEFT JOIN profiles ON profiles.user_id = c.user_id
),
shown AS (
    SELECT
        rank,
        customer,
        coalesce(full_name, name) AS name,
        orders,
        revenue,
        1 AS place
    FROM ranked
    WHERE customer IS NOT NULL AND rank <= :limit
    UNION ALL
    SELECT NULL, '(' || count(*) || ' others)', NULL, sum(orders), sum(revenue), 2
    FROM ranked
    WHERE customer IS NOT NULL AND rank > :limit
    HAVING count(*) > 0
    UNION ALL
    SELECT NULL, '(guests without e-mail)', NULL, orders, revenue, 3
    FROM ranked
    WHERE customer IS NULL
)
SELECT rank, customer, name, orders, revenue
FROM shown
ORDER BY place, rank
