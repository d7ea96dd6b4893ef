-- Price and volume index of every pair of periods (base b, current c) that {match} selects.
-- Row by row: a = p1 q0 (base quantities at current prices), b = p0 q1, r = p1 / p0 = a / v0.
WITH cell AS (
    SELECT {keys}, m, v, q
    FROM (
        SELECT {keys}, {month} AS m, CAST(value_usd AS DOUBLE) AS v, {quantity} AS q
        FROM trade
        WHERE {within}
    ) AS usable
    WHERE q IS NOT NULL
),
calendar AS (
    SELECT {year} AS y, count(DISTINCT m) AS months FROM cell GROUP BY y
),
base AS (
    {base}
),
pair AS (
    SELECT
        {pair_keys},
        c.m AS m,
        b.m AS m0,
        b.v AS v0,
        c.v AS v1,
        c.v * (b.q / c.q) AS a,
        b.v * (c.q / b.q) AS b,
        {totals}
        b.q AS q0,
        c.q AS q1
    FROM {current} AS c
    INNER JOIN base AS b ON {on}
)
{select}
