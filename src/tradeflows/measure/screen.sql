-- Growth of listed goods between two windows, pair by pair, ranked among placebo goods.
-- Amounts come from the bridge, one row per reporter, partner and group of goods.
WITH trade AS (
    SELECT {columns}
    FROM trade
    WHERE {flow}
),
amounts AS (
    SELECT
        reporter, partner, goods, value_base, value_current, price, volume, entry,
        gone AS exit, unpriced, priced_current, repeats,
        goods IN ({listed}) AS listed,
        ln((value_current + {least}) / (value_base + {least})) AS growth
    FROM ({bridge}) AS bridged
    WHERE is_group = 1
),
counted AS (
    SELECT reporter, partner, goods, listed, value_base, growth
    FROM amounts
    WHERE greatest(value_base, value_current) >= {least}
),
-- A median polish in one sweep: what these goods of the reporter usually did, then the pair.
usual AS (
    SELECT reporter, goods, median(growth) AS growth, count(*) AS destinations
    FROM counted
    GROUP BY reporter, goods
),
beyond AS (
    SELECT c.reporter, c.partner, c.goods, c.listed, c.value_base, c.growth - u.growth AS beyond
    FROM counted AS c
    INNER JOIN usual AS u ON c.reporter = u.reporter AND c.goods = u.goods
    WHERE {tested} AND u.destinations >= {needed}
),
pair AS (
    SELECT reporter, partner, median(beyond) AS beyond, count(*) AS groups
    FROM beyond
    GROUP BY reporter, partner
),
excess AS (
    SELECT
        b.reporter, b.partner, b.goods, b.listed, b.beyond - p.beyond AS excess,
        ntile(10) OVER (ORDER BY b.value_base, b.reporter, b.partner, b.goods) AS size
    FROM beyond AS b
    INNER JOIN pair AS p ON b.reporter = p.reporter AND b.partner = p.partner
    WHERE p.groups > {needed}
),
-- Small flows jump more than large ones: each is measured against flows of its size.
sizes AS (
    SELECT size, median(abs(excess)) AS spread FROM excess GROUP BY size
),
scored AS (
    SELECT
        e.reporter, e.partner, e.goods, e.listed, e.excess,
        e.excess / nullif(s.spread, 0) AS score,
        CASE WHEN e.listed THEN 0 ELSE 1 END AS placebo
    FROM excess AS e
    INNER JOIN sizes AS s ON e.size = s.size
),
ranked AS (
    SELECT
        reporter, partner, goods, listed, excess, score,
        1 + sum(placebo) OVER (
            PARTITION BY reporter, partner ORDER BY score DESC
            RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS among_placebos,
        1 + sum(placebo) OVER (PARTITION BY reporter, partner) AS placebos,
        (1.0 + sum(placebo) OVER (
            ORDER BY score DESC RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        )) / (1.0 + sum(placebo) OVER ()) AS p
    FROM scored
    WHERE score IS NOT NULL
),
place AS (
    SELECT
        reporter, partner, goods,
        rank() OVER (PARTITION BY reporter, goods ORDER BY growth DESC) AS among_destinations,
        count(*) OVER (PARTITION BY reporter, goods) AS destinations
    FROM counted
    WHERE listed
)
SELECT
    e.reporter, e.partner, e.goods, e.value_base, e.value_current, e.price, e.volume, e.entry,
    e.exit, e.unpriced, e.priced_current, e.growth, d.among_destinations, d.destinations,
    r.excess, r.score, r.among_placebos, r.placebos, r.p, p.groups - 1 AS others,
    (SELECT 1.0 / (1.0 + sum(placebo)) FROM scored WHERE score IS NOT NULL) AS least_p,
    (SELECT max(repeats) FROM amounts) AS repeats
FROM amounts AS e
LEFT JOIN place AS d
    ON e.reporter = d.reporter AND e.partner = d.partner AND e.goods = d.goods
LEFT JOIN ranked AS r
    ON e.reporter = r.reporter AND e.partner = r.partner AND e.goods = r.goods AND r.listed
LEFT JOIN pair AS p ON e.reporter = p.reporter AND e.partner = p.partner
WHERE e.listed AND {tested_amounts}
ORDER BY e.reporter, e.partner, e.goods
