-- What test_windows.py says in its job, written by hand for DuckDB. {data} is the folder of the data.
with departures as (
    select time_hour, carrier, flight, origin, dep_delay, arr_delay,
        row_number() over () as place
    from read_csv('{data}/flights.csv', nullstr = 'NA', header = true,
        types = {{'time_hour': 'TIMESTAMP', 'dep_delay': 'BIGINT', 'arr_delay': 'BIGINT', 'flight': 'BIGINT'}})
),
weather as (
    select origin, time_hour as measured, temp, wind_speed
    from read_csv('{data}/weather.csv', nullstr = 'NA', header = true,
        types = {{'time_hour': 'TIMESTAMP', 'temp': 'DOUBLE', 'wind_speed': 'DOUBLE'}})
    where temp > 30
),
seen as (
    select *,
        lag(dep_delay) over line as previous,
        lag(carrier, 3, 'none') over line as third,
        lead(flight, 2) over line as ahead,
        row_number() over line as place_of_day,
        rank() over hours as rank,
        dense_rank() over hours as dense,
        sum(dep_delay) over (line rows between 2 preceding and current row) as sum3,
        avg(dep_delay) over (line rows between unbounded preceding and 1 preceding) as mean_before,
        min(arr_delay) over (line rows between 1 following and 4 following) as least_ahead,
        max(arr_delay) over (line rows between unbounded preceding and current row) as worst,
        stddev_samp(dep_delay) over (line rows between 9 preceding and current row) as spread,
        median(dep_delay) over (line rows between 9 preceding and current row) as middle,
        quantile_cont(dep_delay, 0.9) over (line rows between 9 preceding and current row) as high,
        count(*) over (partition by origin) as of_origin,
        -- (t - 6h, t] and [t - 6h, t) of whole hours.
        sum(dep_delay) over (hours range between interval 5 hours preceding and current row) as last_6h,
        count(distinct carrier) over (hours range between interval 6 hours preceding and interval 1 hour preceding)
            as carriers_before,
        count(*) over (hours range between interval 1 hour following and interval 2 hours following) as coming
    from departures
    window
        line as (partition by origin order by time_hour, carrier, flight),
        hours as (partition by origin order by time_hour)
)
select
    seen.time_hour, seen.carrier, seen.flight, previous, third, ahead, place_of_day, rank, dense, sum3, mean_before,
    least_ahead, worst, spread, middle, high, of_origin, last_6h, carriers_before, coming,
    dep_delay - avg(dep_delay) over (partition by seen.origin) as above_mean,
    weather.measured, weather.temp
from seen
    asof left join weather on seen.origin = weather.origin and seen.time_hour > weather.measured
order by place
