-- What exporters report and what importers report of the same trade, as bars that add up.
-- e is the exporter's value (FOB), i the importer's (CIF), r the re-exports inside e; ke and ki are
-- usable weights. A row of the result is a pair of countries, or with another end a family of goods.
WITH side AS (
    SELECT
        CASE WHEN flow = 'M' THEN partner ELSE reporter END AS exporter,
        CASE WHEN flow = 'M' THEN reporter ELSE partner END AS importer,
        code,
        {month} AS m,
        flow,
        CASE WHEN {hidden} THEN 1 ELSE 0 END AS hidden,
        CAST(value_usd AS DOUBLE) AS v,
        {quantity} AS q,
        {fob} AS fob
    FROM trade
    WHERE {within}
),
cell AS (
    SELECT
        exporter, importer, code, m,
        m >= {first} AND m <= {last} AS now,
        max(hidden) AS hidden,
        sum(CASE WHEN flow = 'X' THEN v ELSE 0 END) AS e,
        sum(CASE WHEN flow = 'M' THEN v ELSE 0 END) AS i,
        sum(CASE WHEN flow = 'RX' THEN v ELSE 0 END) AS r,
        sum(CASE WHEN flow = 'X' THEN coalesce(q, 0) ELSE 0 END) AS ke,
        sum(CASE WHEN flow = 'M' THEN coalesce(q, 0) ELSE 0 END) AS ki,
        sum(CASE WHEN flow = 'M' THEN fob END) AS fob,
        max(CASE WHEN flow <> 'RX' AND v > 0 AND q IS NULL THEN 1 ELSE 0 END) AS blind
    FROM side
    GROUP BY exporter, importer, code, m
),
good AS (
    SELECT
        exporter, importer, code, max(hidden) AS hidden,
        sum(CASE WHEN now THEN e ELSE 0 END) AS e,
        sum(CASE WHEN now THEN i ELSE 0 END) AS i,
        sum(CASE WHEN now THEN r ELSE 0 END) AS r,
        sum(CASE WHEN now THEN ke ELSE 0 END) AS ke,
        sum(CASE WHEN now THEN ki ELSE 0 END) AS ki,
        sum(CASE WHEN now THEN fob END) AS fob,
        max(CASE WHEN now THEN blind ELSE 0 END) AS blind,
        sum(CASE WHEN m < {first} THEN e ELSE 0 END) AS before,
        sum(CASE WHEN m > {last} - {lag} AND m <= {last} THEN e ELSE 0 END) AS latest
    FROM cell
    GROUP BY exporter, importer, code
),
-- One heading, one weight, two codes: goods that one side books under another code of the heading.
alone AS (
    SELECT exporter, importer, code, e, ke, ki
    FROM good
    WHERE hidden = 0 AND blind = 0 AND ke + ki > 0 AND (e > 0) <> (i > 0)
),
candidate AS (
    SELECT
        x.exporter, x.importer, x.code AS sent, y.code AS got,
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
family AS (
    SELECT
        g.exporter, g.importer, coalesce(c.sent, g.code) AS family, max(g.hidden) AS hidden,
        max(CASE WHEN c.sent IS NULL THEN 0 ELSE 1 END) AS recoded,
        sum(g.e) AS e, sum(g.i) AS i, sum(g.r) AS r, sum(g.ke) AS ke, sum(g.ki) AS ki,
        sum(g.fob) AS fob, max(g.blind) AS blind, sum(g.before) AS before, sum(g.latest) AS latest
    FROM good AS g
    LEFT JOIN candidate AS c
        ON g.exporter = c.exporter AND g.importer = c.importer AND g.code = c.got
        AND c.best_got = 1 AND c.best_sent = 1
    GROUP BY g.exporter, g.importer, coalesce(c.sent, g.code)
),
classed AS (
    SELECT
        *,
        CASE
            WHEN hidden = 1 THEN 'hidden'
            WHEN recoded = 1 THEN 'recoded'
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
        r.exporter, r.importer, max(m.n) AS n, max(m.x) AS x, max(m.y) AS y,
        max(m.uneven) AS uneven,
        1.4826 * median(abs(r.x - m.x)) AS sx, 1.4826 * median(abs(r.y - m.y)) AS sy
    FROM ratio AS r
    INNER JOIN middle AS m ON r.exporter = m.exporter AND r.importer = m.importer
    GROUP BY r.exporter, r.importer
),
-- The share of a month's goods that arrive in the next: weights of months on weights of months.
stepped AS (
    SELECT
        exporter, importer, code, m, ke, ki, now,
        lag(ke) OVER (PARTITION BY exporter, importer, code ORDER BY m) AS prior,
        lag(m) OVER (PARTITION BY exporter, importer, code ORDER BY m) AS prior_m
    FROM cell
),
moved AS (
    SELECT
        s.exporter, s.importer,
        (s.prior - s.ke) / f.ke AS x, (s.ki * f.ke / f.ki - s.ke) / f.ke AS y
    FROM stepped AS s
    INNER JOIN classed AS f
        ON s.exporter = f.exporter AND s.importer = f.importer AND s.code = f.family
    WHERE s.now AND s.prior_m = s.m - 1 AND f.class = 'weighed' AND f.r = 0 AND {lag} = 1
),
slope AS (
    SELECT exporter, importer, count(*) AS n, sum(x * x) AS xx, sum(x * y) / sum(x * x) AS s
    FROM moved
    GROUP BY exporter, importer
    HAVING sum(x * x) > 0
),
timed AS (
    SELECT
        m.exporter, m.importer, max(p.n) AS n, max(p.s) AS s,
        sqrt(sum(m.x * m.x * (m.y - p.s * m.x) * (m.y - p.s * m.x))) / max(p.xx) AS se
    FROM moved AS m
    INNER JOIN slope AS p ON m.exporter = p.exporter AND m.importer = p.importer
    GROUP BY m.exporter, m.importer
),
known AS (
    SELECT
        p.exporter, p.importer,
        coalesce(s.n, 0) AS goods_weighed,
        coalesce(s.n, 0) >= {needed} AS many, coalesce(s.y, 0) AS y,
        coalesce(s.sx, 0) AS sx, coalesce(s.sy, 0) AS sy,
        {own} AND coalesce(s.n, 0) >= {needed} AS own,
        exp(s.x) - 1 AS rate,
        {z} * s.sx * exp(s.x) * sqrt(1.57 / s.n + s.uneven) AS rate_room,
        coalesce(t.n, 0) >= {needed} AND {known_before} AS lagged,
        t.s AS slope, {z} * t.se + 0.01 AS slope_room
    FROM (SELECT DISTINCT exporter, importer FROM classed) AS p
    LEFT JOIN spread AS s ON p.exporter = s.exporter AND p.importer = s.importer
    LEFT JOIN timed AS t ON p.exporter = t.exporter AND p.importer = t.importer
),
assumed AS (
    SELECT
        exporter, importer, goods_weighed, many, y, sx, sy, own, lagged,
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
        c.*, a.many, a.y, a.sx, a.sy, a.s,
        coalesce(c.i / nullif(c.fob, 0) - 1, a.f) AS f,
        coalesce(c.i / nullif(c.fob, 0) - 1, a.f_low) AS f_low,
        coalesce(c.i / nullif(c.fob, 0) - 1, a.f_high) AS f_high,
        c.class IN ('weighed', 'unweighed', 'recoded') AS both_sides,
        {z} * sqrt(a.sx * a.sx + a.sy * a.sy) * c.e AS noise
    FROM classed AS c
    INNER JOIN assumed AS a ON c.exporter = a.exporter AND c.importer = a.importer
),
-- Of re-exports, what the importer does not book under the exporter, as far as it is short.
short AS (
    SELECT
        *,
        s * (before - latest) AS late,
        least(greatest(e + s * (before - latest) - i / (1 + f), 0), r) AS gone,
        least(greatest(e + s * (before - latest) - i / (1 + f_low) - noise, 0), r) AS gone_low,
        least(greatest(e + s * (before - latest) - i / (1 + f_high) + noise, 0), r) AS gone_high
    FROM rated
),
-- A good whose weight or unit value is out of line with the pair's others; of few, every good.
lined AS (
    SELECT
        *,
        i - (1 + f) * (e + late - gone) AS beyond,
        (gone_high - gone_low) * (1 + f) / 2 AS gone_room,
        (f_high - f_low) / 2 * e AS rate_room,
        CASE WHEN class = 'weighed' THEN ln((i / ki) / (e / ke) / (1 + f)) / nullif(sx, 0) END
            AS odd,
        class = 'weighed' AND (NOT many OR abs(ln(ki / ke) - y) > {odd} * sy) AS by_weight,
        class = 'weighed' AND (NOT many OR abs(ln((i / ki) / (e / ke) / (1 + f))) > {odd} * sx)
            AS by_price
    FROM short
),
split AS (
    SELECT
        *,
        CASE WHEN by_weight THEN (1 + f) * (e * (ki / ke - 1) - late + gone) ELSE 0 END AS quantity,
        CASE WHEN by_price THEN i - (1 + f) * e * ki / ke ELSE 0 END AS price
    FROM lined
),
barred AS (
    SELECT
        exporter, importer, family, class, e, i, r, ke, ki, f, sx, sy, odd, quantity, price,
        CASE WHEN both_sides THEN f * e ELSE 0 END AS freight,
        CASE WHEN both_sides THEN f_low * e ELSE 0 END AS freight_low,
        CASE WHEN both_sides THEN f_high * e ELSE 0 END AS freight_high,
        CASE WHEN both_sides THEN (1 + f) * late ELSE 0 END AS timing,
        CASE WHEN both_sides THEN (1 + f) * (before - latest) ELSE 0 END AS shift,
        CASE WHEN both_sides THEN -(1 + f) * gone ELSE 0 END AS reexports,
        CASE WHEN both_sides THEN -(1 + f_high) * gone_high ELSE 0 END AS reexports_low,
        CASE WHEN both_sides THEN -(1 + f_low) * gone_low ELSE 0 END AS reexports_high,
        CASE WHEN class = 'recoded' THEN beyond ELSE 0 END AS codes,
        CASE WHEN class IN ('weighed', 'unweighed') THEN beyond - quantity - price ELSE 0 END
            AS rest,
        -- the value on which a bar, and so its share of what is uncertain, rests
        CASE WHEN by_weight THEN (1 + f) * e ELSE 0 END AS weighed,
        CASE WHEN class IN ('weighed', 'unweighed') AND NOT by_weight THEN (1 + f) * e ELSE 0 END
            AS unweighed,
        CASE WHEN class = 'recoded' THEN (1 + f) * e ELSE 0 END AS recoded,
        CASE WHEN by_weight THEN gone_room ELSE 0 END AS gone_weighed,
        CASE WHEN both_sides AND NOT by_weight THEN gone_room ELSE 0 END AS gone_unweighed,
        CASE WHEN by_price THEN i ELSE 0 END AS priced,
        CASE WHEN by_price THEN rate_room * ki / ke ELSE 0 END AS rate_priced,
        CASE WHEN class IN ('weighed', 'unweighed') AND NOT by_price THEN rate_room ELSE 0 END
            AS rate_unpriced,
        CASE WHEN class = 'recoded' THEN rate_room ELSE 0 END AS rate_recoded,
        CASE
            WHEN class = 'unweighed' THEN sx * sx + sy * sy
            WHEN class = 'weighed' THEN
                CASE WHEN by_price THEN 0 ELSE sx * sx END
                + CASE WHEN by_weight THEN 0 ELSE sy * sy END
            ELSE 0
        END * (1 + f) * (1 + f) * e * e AS usual,
        CASE WHEN class = 'hidden' THEN e ELSE 0 END AS hidden_e,
        CASE WHEN class = 'hidden' THEN i ELSE 0 END AS hidden_i,
        CASE WHEN class = 'exporter' THEN e ELSE 0 END AS alone_e,
        CASE WHEN class = 'importer' THEN i ELSE 0 END AS alone_i
    FROM split
),
pair AS (
    SELECT
        b.exporter, b.importer, max(a.f) AS f, max(a.f_low) AS f_low, max(a.f_high) AS f_high,
        max(a.s) AS s, max(a.s_low) AS s_low, max(a.s_high) AS s_high,
        max(CASE WHEN a.own THEN 1 ELSE 0 END) AS own,
        max(CASE WHEN a.lagged THEN 1 ELSE 0 END) AS lagged,
        max(a.goods_weighed) AS goods_weighed,
        sum(e) AS exports, sum(i) AS imports, sum(r) AS reexported,
        sum(freight) AS freight, sum(freight_low) AS freight_low, sum(freight_high) AS freight_high,
        sum(timing) AS timing, sum(shift) AS shift,
        sum(CASE WHEN weighed + unweighed + recoded > 0 THEN e ELSE 0 END) AS both_e,
        sum(CASE WHEN weighed + unweighed + recoded > 0 THEN i ELSE 0 END) AS both_i,
        sum(reexports) AS reexports, sum(reexports_low) AS reexports_low,
        sum(reexports_high) AS reexports_high,
        sum(codes) AS codes, sum(rest) AS rest, sum(quantity) AS quantity, sum(price) AS price,
        sum(weighed) AS weighed, sum(unweighed) AS unweighed, sum(recoded) AS recoded,
        sum(CASE WHEN class = 'recoded' THEN e ELSE 0 END) AS recoded_e,
        sum(CASE WHEN class = 'recoded' THEN i ELSE 0 END) AS recoded_i,
        {z} * sqrt(max(b.sx * b.sx + b.sy * b.sy)) AS noise,
        {z} * max(b.sy) * sqrt(sum(weighed * weighed)) + sum(gone_weighed) AS quantity_room,
        {z} * max(b.sx) * sqrt(sum(priced * priced)) + sum(rate_priced) AS price_room,
        {z} * sqrt(sum(usual)) + sum(rate_unpriced) + sum(gone_unweighed) AS rest_room,
        {z} * sqrt(max(b.sx * b.sx + b.sy * b.sy)) * sqrt(sum(recoded * recoded))
            + sum(rate_recoded) AS codes_room,
        sum(hidden_e) AS hidden_e, sum(hidden_i) AS hidden_i,
        sum(alone_e) AS alone_e, sum(alone_i) AS alone_i
    FROM barred AS b
    INNER JOIN assumed AS a ON b.exporter = a.exporter AND b.importer = a.importer
    GROUP BY b.exporter, b.importer
)
{select}
