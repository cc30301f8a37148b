DROP TABLE IF EXISTS compat_lines, compat_orders;
CREATE TABLE compat_orders (
    id serial PRIMARY KEY,
    customer text NOT NULL,
    total numeric(10, 2) NOT NULL DEFAULT 0,
    paid boolean NOT NULL DEFAULT false,
    placed timestamptz NOT NULL DEFAULT now(),
    extra jsonb
);
CREATE TABLE compat_lines (
    order_id integer REFERENCES compat_orders,
    sku text NOT NULL,
    qty integer NOT NULL
);
INSERT INTO compat_orders (customer, total, placed, extra)
SELECT 'customer ' || n, n * 1.25, '2026-01-01 10:00+00'::timestamptz + n * interval '1 hour', jsonb_build_object('n', n)
FROM generate_series(1, 20) AS n;
