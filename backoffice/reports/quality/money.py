"""Rules about orders and their money; half a cent is for SQLite, whose numbers are binary."""

from __future__ import annotations

from backoffice.reports.quality.check import Check

MONEY = (
    Check(
        "order-is-its-items",
        "An order's amount is the sum of its items",
        "Orders",
        "orders",
        "Reports by order and by product disagree. Find out which of both is right.",
        """
SELECT o.id, o.number AS label, coalesce(i.amount, 0) AS expected,
       o.subtotal_amount - o.discount_amount AS found
FROM orders o
LEFT JOIN (SELECT order_id, sum(line_total) AS amount FROM order_items GROUP BY order_id) AS i
    ON i.order_id = o.id
WHERE abs(o.subtotal_amount - o.discount_amount - coalesce(i.amount, 0)) >= 0.005
""",
    ),
    Check(
        "order-moments-in-order",
        "An order's moments follow each other",
        "Orders",
        "orders",
        "It was completed before it was shipped, or cancelled before it was placed.",
        """
SELECT id, number AS label,
       substr(CAST(CASE WHEN completed_at < shipped_at THEN shipped_at ELSE placed_at END AS TEXT),
              1, 19) AS expected,
       substr(CAST(CASE WHEN completed_at < shipped_at THEN completed_at ELSE cancelled_at END
                   AS TEXT), 1, 19) AS found
FROM orders
WHERE completed_at < shipped_at OR cancelled_at < placed_at
""",
    ),
    Check(
        "timeline-ends-in-status",
        "An order is in the status in which its timeline ends",
        "Orders",
        "orders",
        "The status was changed past the services, or an event is missing.",
        """
SELECT o.id, o.number AS label, e.to_status AS expected, o.status AS found
FROM (SELECT order_id, max(id) AS id FROM order_events WHERE to_status IS NOT NULL
      GROUP BY order_id) AS newest
JOIN order_events e ON e.id = newest.id
JOIN orders o ON o.id = newest.order_id
WHERE o.status <> e.to_status
""",
    ),
    Check(
        "paid-orders-have-payments",
        "What is marked as paid was paid",
        "Money",
        "orders",
        "Less was captured than the order costs. Find the payment before anything is sent.",
        """
SELECT o.id, o.number AS label, o.total_amount AS expected, coalesce(p.amount, 0) AS found
FROM orders o
LEFT JOIN (SELECT order_id, sum(captured_amount) AS amount FROM payments GROUP BY order_id) AS p
    ON p.order_id = o.id
WHERE o.paid_at IS NOT NULL AND coalesce(p.amount, 0) <= o.total_amount - 0.005
""",
    ),
    Check(
        "payments-make-orders-paid",
        "What was paid is marked as paid",
        "Money",
        "orders",
        "All the money has come in, and the order still waits for it.",
        """
SELECT id, number AS label, 'paid' AS expected, status AS found
FROM orders o
WHERE status = 'pending' AND total_amount > 0
  AND (SELECT sum(captured_amount) FROM payments p WHERE p.order_id = o.id)
      > o.total_amount - 0.005
""",
    ),
    Check(
        "payment-after-order",
        "Nobody pays before they order",
        "Money",
        "payments",
        "The payment was captured before its order was placed.",
        """
SELECT p.id, p.provider || ' ' || p.provider_ref AS label,
       substr(CAST(o.placed_at AS TEXT), 1, 19) AS expected,
       substr(CAST(p.captured_at AS TEXT), 1, 19) AS found
FROM payments p
JOIN orders o ON o.id = p.order_id
WHERE p.captured_at < o.placed_at
""",
    ),
    Check(
        "refunds-within-payments",
        "No order gets back more than was paid",
        "Money",
        "orders",
        "More was refunded, or is about to be, than was captured. Stop what has not gone yet.",
        """
SELECT r.id, r.number AS label, coalesce(r.captured, 0) AS expected, r.refunded AS found
FROM (
    SELECT o.id, o.number, given.amount AS refunded,
           (SELECT sum(captured_amount) FROM payments p WHERE p.order_id = o.id) AS captured
    FROM (SELECT order_id, sum(amount) AS amount FROM refunds
          WHERE kind = 'refund' AND status <> 'failed' GROUP BY order_id) AS given
    JOIN orders o ON o.id = given.order_id
) AS r
WHERE r.refunded >= coalesce(r.captured, 0) + 0.005
""",
    ),
    Check(
        "payments-know-their-refunds",
        "A payment's refunded amounts are those of its refunds",
        "Money",
        "payments",
        "More or less can be refunded than there is. Compare with what the provider says.",
        """
SELECT p.id, p.provider || ' ' || p.provider_ref AS label,
       coalesce(r.done, 0) + coalesce(r.waiting, 0) AS expected,
       p.refunded_amount + p.refund_pending_amount AS found
FROM payments p
LEFT JOIN (
    SELECT payment_id,
           sum(CASE WHEN status = 'succeeded' THEN amount ELSE 0 END) AS done,
           sum(CASE WHEN status = 'pending' THEN amount ELSE 0 END) AS waiting
    FROM refunds WHERE payment_id IS NOT NULL GROUP BY payment_id
) AS r ON r.payment_id = p.id
WHERE abs(p.refunded_amount - coalesce(r.done, 0)) >= 0.005
   OR abs(p.refund_pending_amount - coalesce(r.waiting, 0)) >= 0.005
""",
    ),
    Check(
        "refund-is-its-items",
        "A refund is the sum of its parts",
        "Money",
        "refunds",
        "Reports by product and by order disagree about what was given back.",
        """
SELECT r.id, r.number AS label,
       coalesce(i.amount, 0) + r.shipping_amount + r.tax_amount AS expected, r.amount AS found
FROM refunds r
LEFT JOIN (SELECT refund_id, sum(amount) AS amount FROM refund_items GROUP BY refund_id) AS i
    ON i.refund_id = r.id
WHERE abs(r.amount - coalesce(i.amount, 0) - r.shipping_amount - r.tax_amount) >= 0.005
""",
    ),
    Check(
        "refund-fits-its-payment",
        "A refund and its payment belong to one order",
        "Money",
        "refunds",
        "The money came from another order, or is in another currency.",
        """
SELECT r.id, r.number AS label, o.number || ' ' || o.currency AS expected,
       paid.number || ' ' || r.currency AS found
FROM refunds r
JOIN payments p ON p.id = r.payment_id
JOIN orders o ON o.id = r.order_id
JOIN orders paid ON paid.id = p.order_id
WHERE p.order_id <> r.order_id OR r.currency <> o.currency
""",
    ),
    Check(
        "refund-after-payment",
        "Nothing is given back before it was paid",
        "Money",
        "refunds",
        "The refund went out before its payment was captured.",
        """
SELECT r.id, r.number AS label, substr(CAST(p.captured_at AS TEXT), 1, 19) AS expected,
       substr(CAST(r.processed_at AS TEXT), 1, 19) AS found
FROM refunds r
JOIN payments p ON p.id = r.payment_id
WHERE r.status = 'succeeded' AND r.processed_at < p.captured_at
""",
    ),
    Check(
        "refunded-units-are-refunds",
        "An item's refunded units are those of its refunds",
        "Money",
        "order_items",
        "An item can be refunded too often, or no more.",
        """
SELECT i.id, o.number || ': ' || i.sku AS label, coalesce(r.units, 0) AS expected,
       i.quantity_refunded AS found
FROM order_items i
LEFT JOIN (
    SELECT x.order_item_id, sum(x.quantity) AS units
    FROM refund_items x
    JOIN refunds d ON d.id = x.refund_id
    WHERE d.status = 'succeeded' AND x.order_item_id IS NOT NULL
    GROUP BY x.order_item_id
) AS r ON r.order_item_id = i.id
JOIN orders o ON o.id = i.order_id
WHERE i.quantity_refunded <> coalesce(r.units, 0)
""",
    ),
)
