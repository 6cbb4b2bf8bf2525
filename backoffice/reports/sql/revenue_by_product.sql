/*---
title = "Revenue by product"
group = "Revenue"
description = "What each product brought in, under the name it has today."

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

[columns.sku]
label = "SKU"
format = "text"

[columns.product]
label = "Product"
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
x = "product"
y = "revenue"
---*/
WITH sold AS (
    SELECT
        i.product_id,
        sum(i.quantity) AS units,
        count(DISTINCT i.order_id) AS orders,
        sum(i.line_total) AS revenue
    FROM orders AS o
    INNER JOIN order_items AS i ON i.order_id = o.id
    WHERE o.paid_on >= :from AND o.paid_on < :to
      AND o.currency = :currency
      AND (:customers = 'all' OR o.user_id IS NOT NULL)
    GROUP BY i.product_id
)
SELECT
    products.sku,
    products.name AS product,
    sold.units,
    sold.orders,
    sold.revenue
FROM sold
INNER JOIN products ON products.id = sold.product_id
ORDER BY round(sold.revenue, 2) DESC, products.sku
