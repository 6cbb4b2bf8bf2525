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
    low.stock * CAST(julianday(:to) - julianday(:from) AS INTEGER) / sold.units AS days_of_cover
FROM low
LEFT JOIN sold ON sold.product_id = low.id
ORDER BY days_of_cover NULLS LAST, low.stock, low.sku
