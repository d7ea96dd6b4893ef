-- The additive bridge: change in value = price + volume + entry - exit + unpriced.
-- One row per group ({group}) and one per step; a step is a month of the window, or 0.
WITH side AS (
    SELECT
        {keys},
        period,
        CAST(value_usd AS DOUBLE) AS v,
        {quantity} AS q,
        {unit} AS unit,
        {now} AS now
    FROM trade
    WHERE {within}
),
cell AS (
    SELECT
        {pair},
        {step_or_nothing}
        sum(CASE WHEN now THEN 0 ELSE v END){per_base} AS v0,
        sum(CASE WHEN now THEN v ELSE 0 END){per_current} AS v1,
        sum(CASE WHEN now THEN 0 ELSE q END){per_base} AS q0,
        sum(CASE WHEN now THEN q ELSE 0 END){per_current} AS q1,
        max(CASE WHEN v > 0 AND q IS NULL THEN 1 ELSE 0 END) AS blind,
        {units} AS units,
        {repeats} AS repeats
    FROM side
    GROUP BY {pair}
),
matched AS (
    SELECT
        *, {of_code_or_nothing}
        v0 > 0 AND v1 > 0 AND blind = 0 AND units <= 1 AS priced
    FROM cell
),
cross_value AS (
    -- a: current prices at base quantities, p1 q0; b: base prices at current quantities, p0 q1
    SELECT
        *,
        CASE WHEN priced THEN v1 * (q0 / q1) END AS a,
        CASE WHEN priced THEN v0 * (q1 / q0) END AS b
    FROM matched
),
effect AS (
    SELECT
        {group_or_nothing}
        step,
        v0,
        v1,
        CASE WHEN priced THEN {price} ELSE 0 END AS price,
        CASE WHEN priced THEN {volume} ELSE 0 END AS volume,
        CASE WHEN v0 = 0 THEN v1 ELSE 0 END AS entry,
        CASE WHEN v1 = 0 THEN -v0 ELSE 0 END AS gone,
        CASE WHEN v0 > 0 AND v1 > 0 AND NOT priced THEN v1 - v0 ELSE 0 END AS unpriced,
        CASE WHEN priced THEN v1 ELSE 0 END AS priced_current,
        repeats
    FROM cross_value
),
part AS (
    -- Left out where each row of effect is a part, or where there is one step only.
    SELECT
        {group_or_nothing}
        step,
        sum(v0) AS v0,
        sum(v1) AS v1,
        sum(price) AS price,
        sum(volume) AS volume,
        sum(entry) AS entry,
        sum(gone) AS gone,
        sum(unpriced) AS unpriced,
        sum(priced_current) AS priced_current,
        max(repeats) AS repeats
    FROM effect
    GROUP BY {group_or_nothing} step
)
SELECT
    {group_or_nothing}
    step,
    grouping(step) AS is_group,
    sum(v0) AS value_base,
    sum(v1) AS value_current,
    sum(price) AS price,
    sum(volume) AS volume,
    sum(entry) AS entry,
    sum(gone) AS gone,
    sum(unpriced) AS unpriced,
    sum(priced_current) AS priced_current,
    max(repeats) AS repeats
FROM {parts}
GROUP BY GROUPING SETS (({group}), (step))
