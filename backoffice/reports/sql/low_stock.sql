/*---
title = "Low stock"
group = "Stock"
description = """What is for sale and at or below its threshold, the soonest to run out first. Days of cover: \
the stock, divided by what was sold a day in the period; empty where nothing was sold."""
empty = "Nothing that is for sale is at or below its threshold."

[params.from]
type = "date"
label = "Sold from"
default = "today-28d"

[params.to]
type = "date"
label = "To, not included"
default = "today"
after = "from"

[columns.id]
label = "Id"
format = "integer"

[columns.sku]
label = "SKU"
record = "products"

[columns.product]
label = "Product"

[columns.stock]
label = "Stock"
format = "integer"

[columns.threshold]
label = "Threshold"
format = "integer"

[columns.sold]
label = "Sold"
format = "integer"

[columns.days_of_cover]
label = "Days of cover"
format = "integer"
---*/
WITH low AS (
    SELECT id, sku, name, stock, low_stock_threshold
    FROM products
    WHERE stock <= low_stock_threshold AND is_available
),
sold AS (
    SELECT i.product_id, sum(i.quantity) AS units
    FROM orders AS o
    INNER JOIN order_items AS i ON i.order_id = o.id
    WHERE o.paid_on >= :from AND o.paid_on < :to
      AND i.product_id IN (SELECT id FROM low)
    GROUP BY i.product_id
)
SELECT
    low.id,
    low.sku,
    low.name AS product,
    low.stock,
    low.low_stock_threshold AS threshold,
    coalesce(sold.units, 0) AS sold,
    low.stock * (CAST(:to AS date) - CAST(:from AS date)) / sold.units AS days_of_cover
FROM low
LEFT JOIN sold ON sold.product_id = low.id
ORDER BY days_of_cover NULLS LAST, low.stock, low.sku
