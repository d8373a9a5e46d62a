"""The functions of Spark that SQL in configurations may call.

Left out on purpose: what runs code (``reflect``, ``java_method``), reads files or the session, depends on the clock or
on chance, fails on purpose (``raise_error``), or makes long texts of short ones (``repeat``, ``space``).
"""

from __future__ import annotations


def _words(*lists: str) -> frozenset[str]:
    return frozenset(" ".join(lists).split())


_TEXT = """ascii btrim char_length chr concat concat_ws contains endswith format_number initcap instr lcase left length
levenshtein locate lower lpad ltrim md5 octet_length position regexp_extract regexp_like regexp_replace replace reverse
right rlike rpad rtrim sha2 soundex split split_part startswith substr substring substring_index translate trim ucase
upper xxhash64"""
_NUMBERS = """abs acos asin atan atan2 bround cbrt ceil ceiling cos degrees exp floor greatest hypot isnan least ln log
log10 log2 mod nanvl pow power radians rint round sign signum sin sqrt tan try_add try_divide try_mod try_multiply
try_subtract width_bucket"""
_ABSENT = "coalesce equal_null if iff ifnull isnotnull isnull nullif nullifzero nvl nvl2 zeroifnull"
_TIME = """add_months date date_add date_diff date_format date_from_unix_date date_part date_sub date_trunc dateadd
datediff datepart day dayofmonth dayofweek dayofyear extract hour last_day minute month months_between next_day quarter
second timestamp to_date to_timestamp trunc try_to_date try_to_timestamp unix_date unix_seconds weekday weekofyear
year"""
_CASTS = "bigint boolean cast decimal double float int smallint string tinyint try_cast"
_LISTS = "array array_contains array_size cardinality element_at get size try_element_at"

SCALARS = _words(_TEXT, _NUMBERS, _ABSENT, _TIME, _CASTS, _LISTS)

AGGREGATES = _words(
    """any any_value approx_count_distinct approx_percentile avg bit_and bit_or bit_xor bool_and bool_or corr count
    count_if covar_pop covar_samp cume_dist dense_rank every explode explode_outer first first_value grouping
    grouping_id kurtosis lag last last_value lead max max_by mean median min min_by mode named_struct nth_value ntile
    percent_rank percentile percentile_approx percentile_cont percentile_disc posexplode rank regr_count row_number
    skewness some std stddev stddev_pop stddev_samp struct sum try_avg try_sum var_pop var_samp variance"""
)

# What sqlglot writes where a configuration says one of the above in other words.
GENERATED = _words("date_add datediff if coalesce char_length day_of_month dayofmonth locate substring timestamp_trunc")

WITHOUT_ARGUMENTS = _words("count cume_dist dense_rank percent_rank rank row_number array")

# Words that may stand before a bracket and call nothing; types among them.
NO_FUNCTIONS = _words(
    """all and as between by case cube decimal distinct else except exists from having in intersect interval is join
    like limit not numeric dec on or over partition rollup select sets then union using when where within filter group
    order varchar char"""
)
