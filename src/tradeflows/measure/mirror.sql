-- What exporters report and what importers report of the same trade, as bars that add up.
-- e is the exporter's value (FOB), i the importer's (CIF), r the re-exports inside e; ke and ki are
-- usable weights. A row of the result is a pair of countries, or with another end a family of goods.
WITH stated AS (
    SELECT
        CASE WHEN flow = 'M' THEN partner ELSE reporter END AS exporter,
        CASE WHEN flow = 'M' THEN reporter ELSE partner END AS importer,
        code,
        {month} AS m,
        CAST(flow = 'X' AS DOUBLE) AS x,
        CAST(flow = 'M' AS DOUBLE) AS y,
        CASE WHEN {hidden} THEN 1 ELSE 0 END AS hidden,
        CAST(value_usd AS DOUBLE) AS v,
        {quantity} AS q,
        {fob} AS fob
    FROM trade
    WHERE {within}
),
side AS (
    SELECT
        exporter, importer, code, m, m >= {first} AND m <= {last} AS now, hidden,
        x * v AS e, y * v AS i, (1 - x - y) * v AS r, x * q AS ke, y * q AS ki, y * fob AS fob,
        CASE WHEN q IS NULL AND v > 0 AND x + y > 0 THEN 1 ELSE 0 END AS blind,
        -- a bit for each flow and year: rows that share a key add up to more than their bits
        {bit} * CAST(4 - 3 * x - 2 * y AS BIGINT) AS bit
    FROM stated
),
cell AS (
    SELECT
        exporter, importer, code, m, now, max(hidden) AS hidden, sum(e) AS e, sum(i) AS i,
        sum(r) AS r, coalesce(sum(ke), 0) AS ke, coalesce(sum(ki), 0) AS ki, sum(fob) AS fob,
        max(blind) AS blind, sum(bit) - bit_or(bit) AS bit
    FROM side
    GROUP BY exporter, importer, code, m, now
),
good AS (
    SELECT
        exporter, importer, code, max(hidden) AS hidden,
        sum(CASE WHEN now THEN e ELSE 0 END) AS e,
        sum(CASE WHEN now THEN i ELSE 0 END) AS i,
        sum(CASE WHEN now THEN r ELSE 0 END) AS r,
        coalesce(sum(CASE WHEN now THEN ke END), 0) AS ke,
        coalesce(sum(CASE WHEN now THEN ki END), 0) AS ki,
        sum(CASE WHEN now THEN fob END) AS fob,
        max(CASE WHEN now THEN blind ELSE 0 END) AS blind,
        sum(CASE WHEN m < {first} THEN e WHEN m > {last} - {lag} AND m <= {last} THEN -e ELSE 0 END)
            AS shift,
        {twice} AS twice
    FROM {rows}
    GROUP BY exporter, importer, code
),
-- One heading, one weight, two codes: goods that one side books under another code of the heading.
alone AS (
    SELECT exporter, importer, code, e, i, ke, ki, fob, shift
    FROM good
    WHERE hidden = 0 AND blind = 0 AND ke + ki > 0 AND (e > 0) <> (i > 0)
),
candidate AS (
    SELECT
        x.exporter, x.importer, x.code AS sent, y.code AS got, y.i, y.ki, y.fob, y.shift,
        row_number() OVER (
            PARTITION BY x.exporter, x.importer, x.code ORDER BY abs(ln(y.ki / x.ke)), y.code
        ) AS best_got,
        row_number() OVER (
            PARTITION BY x.exporter, x.importer, y.code ORDER BY abs(ln(y.ki / x.ke)), x.code
        ) AS best_sent
    FROM alone AS x
    INNER JOIN alone AS y
        ON x.exporter = y.exporter AND x.importer = y.importer
        AND left(x.code, 4) = left(y.code, 4)
    WHERE x.e > 0 AND y.e = 0 AND y.ki / nullif(x.ke, 0) BETWEEN {alike} AND 1 / {alike}
),
recoded AS (
    SELECT * FROM candidate WHERE best_got = 1 AND best_sent = 1
),
family AS (
    SELECT
        g.exporter, g.importer, g.code AS family, g.hidden, g.blind, g.twice,
        c.sent IS NOT NULL AS recoded, g.e, g.r, g.ke, g.i + coalesce(c.i, 0) AS i,
        g.ki + coalesce(c.ki, 0) AS ki, coalesce(c.fob, g.fob) AS fob,
        g.shift + coalesce(c.shift, 0) AS shift
    FROM good AS g
    LEFT JOIN recoded AS c
        ON g.exporter = c.exporter AND g.importer = c.importer AND g.code = c.sent
    LEFT JOIN recoded AS d
        ON g.exporter = d.exporter AND g.importer = d.importer AND g.code = d.got
    WHERE d.got IS NULL
),
classed AS (
    SELECT
        *,
        CASE
            WHEN hidden = 1 THEN 'hidden'
            WHEN recoded THEN 'recoded'
            WHEN i = 0 THEN 'exporter'
            WHEN e = 0 THEN 'importer'
            WHEN blind = 0 AND ke > 0 AND ki > 0 THEN 'weighed'
            ELSE 'unweighed'
        END AS class
    FROM family
    WHERE e > 0 OR i > 0
),
-- How unit values and weights of the two sides differ from good to good, for most of them.
ratio AS (
    SELECT exporter, importer, e, ln((i / ki) / (e / ke)) AS x, ln(ki / ke) AS y
    FROM classed
    WHERE class = 'weighed' AND r = 0
),
middle AS (
    SELECT
        exporter, importer, count(*) AS n, median(x) AS x, median(y) AS y,
        sum(e * e) / (sum(e) * sum(e)) AS uneven
    FROM ratio
    GROUP BY exporter, importer
),
spread AS (
    SELECT
        r.exporter, r.importer, max(m.n) AS n, max(m.x) AS x,
        max(m.uneven) AS uneven,
        1.4826 * median(abs(r.x - m.x)) AS sx, 1.4826 * median(abs(r.y - m.y)) AS sy
    FROM ratio AS r
    INNER JOIN middle AS m ON r.exporter = m.exporter AND r.importer = m.importer
    GROUP BY r.exporter, r.importer
),
-- The share of a month's goods that arrive in the next: weights of months on weights of months.
moved AS (
    SELECT
        c.exporter, c.importer,
        (p.ke - c.ke) / f.ke AS x, (c.ki * f.ke / f.ki - c.ke) / f.ke AS y
    FROM cell AS c
    INNER JOIN cell AS p
        ON c.exporter = p.exporter AND c.importer = p.importer AND c.code = p.code
        AND c.m = p.m + 1
    INNER JOIN classed AS f
        ON c.exporter = f.exporter AND c.importer = f.importer AND c.code = f.family
    WHERE c.now AND f.class = 'weighed' AND f.r = 0 AND {known_before}
),
timed AS (
    SELECT
        exporter, importer, count(*) AS n, sum(x * y) / sum(x * x) AS s, sum(x * x) AS xx,
        sum(x * x * y * y) AS xxyy, sum(x * x * x * y) AS xxxy, sum(x * x * x * x) AS xxxx
    FROM moved
    GROUP BY exporter, importer
    HAVING sum(x * x) > 0
),
known AS (
    SELECT
        p.exporter, p.importer,
        coalesce(s.n, 0) AS goods_weighed,
        coalesce(s.n, 0) >= {needed} AS many,
        coalesce(s.sx, 0) AS sx, coalesce(s.sy, 0) AS sy,
        {own} AND coalesce(s.n, 0) >= {needed} AS own,
        exp(s.x) - 1 AS rate,
        {z} * s.sx * exp(s.x) * sqrt(1.57 / s.n + s.uneven) AS rate_room,
        coalesce(t.n, 0) >= {needed} AS lagged, t.s AS slope,
        {z} * sqrt(greatest(t.xxyy - 2 * t.s * t.xxxy + t.s * t.s * t.xxxx, 0)) / t.xx + 0.01
            AS slope_room
    FROM (SELECT DISTINCT exporter, importer FROM classed) AS p
    LEFT JOIN spread AS s ON p.exporter = s.exporter AND p.importer = s.importer
    LEFT JOIN timed AS t ON p.exporter = t.exporter AND p.importer = t.importer
),
assumed AS (
    SELECT
        exporter, importer, goods_weighed, many, sx, sy, own, lagged,
        {z} * sqrt(sx * sx + sy * sy) AS noise,
        CASE WHEN own THEN greatest(rate, 0) ELSE {rate} END AS f,
        CASE WHEN own THEN greatest(rate - rate_room, 0) ELSE {rate_low} END AS f_low,
        CASE WHEN own THEN greatest(rate + rate_room, 0) ELSE {rate_high} END AS f_high,
        CASE WHEN lagged THEN least(greatest(slope, 0), 1) ELSE 0 END AS s,
        CASE WHEN lagged THEN least(greatest(slope - slope_room, 0), 1) ELSE 0 END AS s_low,
        CASE WHEN lagged THEN least(greatest(slope + slope_room, 0), 1) ELSE 1 END AS s_high
    FROM known
),
rated AS (
    SELECT
        c.*, a.many, a.sx, a.sy, a.s, a.noise * c.e AS noise,
        CASE WHEN c.class IN ('weighed', 'unweighed', 'recoded') THEN 1.0 ELSE 0.0 END AS matched,
        coalesce(c.i / nullif(c.fob, 0) - 1, a.f) AS f,
        coalesce(c.i / nullif(c.fob, 0) - 1, a.f_low) AS f_low,
        coalesce(c.i / nullif(c.fob, 0) - 1, a.f_high) AS f_high
    FROM classed AS c
    INNER JOIN assumed AS a ON c.exporter = a.exporter AND c.importer = a.importer
),
-- Of re-exports, what the importer does not book under the exporter, as far as it is short.
short AS (
    SELECT
        *,
        s * shift AS late,
        least(greatest(e + s * shift - i / (1 + f), 0), r) AS gone,
        least(greatest(e + s * shift - i / (1 + f_low) - noise, 0), r) AS gone_low,
        least(greatest(e + s * shift - i / (1 + f_high) + noise, 0), r) AS gone_high,
        CASE WHEN class = 'weighed' THEN ln(ki / ke) END AS off_weight,
        CASE WHEN class = 'weighed' THEN ln((i / ki) / (e / ke) / (1 + f)) END AS off_price
    FROM rated
),
-- A good whose unit value is out of line with the pair's others, or whose weights differ by more
-- than they usually vary, be it in one good or in all; of few, every good.
lined AS (
    SELECT
        *,
        class = 'weighed' AND (NOT many OR abs(off_weight) > {odd} * sy) AS by_weight,
        class = 'weighed' AND (NOT many OR abs(off_price) > {odd} * sx) AS by_price
    FROM short
),
split AS (
    SELECT
        exporter, importer, family, class, by_weight, by_price, twice, e, i, r, ke, ki,
        off_price / nullif(sx, 0) AS odd,
        matched * e AS both_e, matched * i AS both_i,
        matched * f * e AS freight, matched * f_low * e AS freight_low, matched * f_high * e AS freight_high,
        matched * (1 + f) * late AS timing, matched * (1 + f) * shift AS shift,
        -matched * (1 + f) * gone AS reexports, -matched * (1 + f_high) * gone_high AS reexports_low,
        -matched * (1 + f_low) * gone_low AS reexports_high,
        CASE WHEN by_weight THEN (1 + f) * (e * (ki / ke - 1) - late + gone) ELSE 0 END AS quantity,
        CASE WHEN by_price THEN i - (1 + f) * e * ki / ke ELSE 0 END AS price,
        matched * (i - (1 + f) * (e + late - gone)) AS beyond,
        matched * (1 + f) * e AS arrived, matched * (1 + f) * (1 + f) * e * e AS arrived_squared,
        CASE WHEN by_price THEN i * i ELSE 0 END AS priced_squared,
        matched * (gone_high - gone_low) * (1 + f) / 2 AS gone_room,
        matched * (f_high - f_low) / 2 * e AS rate_room,
        CASE WHEN by_price THEN (f_high - f_low) / 2 * e * ki / ke ELSE 0 END AS rate_priced
    FROM lined
),
-- Bars are sums: the goods of one class of a pair need one row.
summed AS (
    SELECT
        exporter, importer, class, by_weight, by_price, max(twice) AS twice, sum(e) AS e,
        sum(i) AS i, sum(r) AS r, sum(both_e) AS both_e, sum(both_i) AS both_i,
        sum(freight) AS freight, sum(freight_low) AS freight_low, sum(freight_high) AS freight_high,
        sum(timing) AS timing, sum(shift) AS shift, sum(reexports) AS reexports,
        sum(reexports_low) AS reexports_low, sum(reexports_high) AS reexports_high,
        sum(quantity) AS quantity, sum(price) AS price, sum(beyond) AS beyond,
        sum(arrived) AS arrived, sum(arrived_squared) AS arrived_squared,
        sum(priced_squared) AS priced_squared, sum(gone_room) AS gone_room,
        sum(rate_room) AS rate_room, sum(rate_priced) AS rate_priced
    FROM split
    GROUP BY exporter, importer, class, by_weight, by_price
),
-- The value on which a bar rests, and so its share of what is uncertain.
pair AS (
    SELECT
        b.exporter, b.importer, max(b.twice) AS twice, max(a.f) AS f, max(a.f_low) AS f_low,
        max(a.f_high) AS f_high, max(a.s_low) AS s_low, max(a.s_high) AS s_high,
        max(CASE WHEN a.own THEN 1 ELSE 0 END) AS own, max(a.noise) AS noise,
        sum(b.e) AS exports, sum(b.i) AS imports, sum(b.r) AS reexported,
        sum(b.both_e) AS both_e, sum(b.both_i) AS both_i, sum(b.freight) AS freight,
        sum(b.freight_low) AS freight_low, sum(b.freight_high) AS freight_high,
        sum(b.timing) AS timing, sum(b.shift) AS shift, sum(b.reexports) AS reexports,
        sum(b.reexports_low) AS reexports_low, sum(b.reexports_high) AS reexports_high,
        sum(b.quantity) AS quantity, sum(b.price) AS price,
        sum(CASE WHEN b.class = 'recoded' THEN b.beyond ELSE 0 END) AS codes,
        sum(CASE WHEN b.class = 'recoded' THEN b.e ELSE 0 END) AS recoded_e,
        sum(CASE WHEN b.class = 'recoded' THEN b.i ELSE 0 END) AS recoded_i,
        sum(CASE WHEN b.class = 'recoded' THEN 0 ELSE b.beyond - b.quantity - b.price END) AS rest,
        sum(CASE WHEN b.by_weight THEN b.arrived ELSE 0 END) AS weighed,
        sum(CASE WHEN b.by_weight OR b.class = 'recoded' THEN 0 ELSE b.arrived END) AS unweighed,
        sum(CASE WHEN b.class = 'recoded' THEN b.arrived ELSE 0 END) AS recoded,
        {z} * max(a.sy) * sqrt(sum(CASE WHEN b.by_weight THEN b.arrived_squared ELSE 0 END))
            + sum(CASE WHEN b.by_weight THEN b.gone_room ELSE 0 END) AS quantity_room,
        {z} * max(a.sx) * sqrt(sum(b.priced_squared)) + sum(b.rate_priced) AS price_room,
        {z} * sqrt(sum(CASE WHEN b.class = 'recoded' THEN 0 ELSE b.arrived_squared
            * (CASE WHEN b.by_price THEN 0 ELSE a.sx * a.sx END
                + CASE WHEN b.by_weight THEN 0 ELSE a.sy * a.sy END) END))
            + sum(CASE WHEN b.by_price OR b.class = 'recoded' THEN 0 ELSE b.rate_room END)
            + sum(CASE WHEN b.by_weight THEN 0 ELSE b.gone_room END) AS rest_room,
        max(a.noise) * sqrt(sum(CASE WHEN b.class = 'recoded' THEN b.arrived_squared ELSE 0 END))
            + sum(CASE WHEN b.class = 'recoded' THEN b.rate_room ELSE 0 END) AS codes_room,
        sum(CASE WHEN b.class = 'hidden' THEN b.e ELSE 0 END) AS hidden_e,
        sum(CASE WHEN b.class = 'hidden' THEN b.i ELSE 0 END) AS hidden_i,
        sum(CASE WHEN b.class = 'exporter' THEN b.e ELSE 0 END) AS alone_e,
        sum(CASE WHEN b.class = 'importer' THEN b.i ELSE 0 END) AS alone_i
    FROM summed AS b
    INNER JOIN assumed AS a ON b.exporter = a.exporter AND b.importer = a.importer
    GROUP BY b.exporter, b.importer
)
{select}
