-- What examples/flights.dbjob says in its transforms `flown` and `daily`, written by hand for DuckDB.
-- {data} is the folder of the data.
with departures as (
    select time_hour, carrier, tailnum, origin, distance, dep_delay, arr_delay
    from read_csv('{data}/flights.csv', nullstr = 'NA', header = true,
        types = {{'time_hour': 'TIMESTAMP', 'dep_delay': 'BIGINT', 'arr_delay': 'BIGINT', 'carrier': 'VARCHAR'}})
),
planes as (
    select tailnum, seats from read_csv('{data}/planes.csv', nullstr = 'NA', header = true)
),
weather as (
    select origin, time_hour, temp, wind_speed, precip
    from read_csv('{data}/weather.csv', nullstr = 'NA', header = true,
        types = {{'time_hour': 'TIMESTAMP', 'temp': 'DOUBLE', 'wind_speed': 'DOUBLE', 'precip': 'DOUBLE'}})
),
airlines as (
    select carrier, name as airline from read_csv('{data}/airlines.csv', header = true)
),
flown as (
    select d.*, p.seats, cast(d.time_hour - interval 5 hour as date) as day, d.arr_delay > 15 as is_late
    from departures d left join planes p on d.tailnum = p.tailnum
    where d.dep_delay is not null
)
select
    day,
    airline,
    count(*) as flights,
    count(arr_delay) as landed,
    sum(cast(is_late as bigint)) as late_flights,
    count(distinct tailnum) as planes,
    sum(seats) as seats,
    avg(arr_delay) as mean_delay,
    max(arr_delay) as worst_delay,
    quantile_cont(cast(dep_delay as double), 0.9) as p90_delay,
    min(temp) as coldest,
    avg(wind_speed) as mean_wind,
    sum(precip) as rain,
    sum(cast(is_late as bigint)) / nullif(count(arr_delay), 0) as late_share
from flown f
    left join weather w on f.origin = w.origin and f.time_hour = w.time_hour
    join airlines a on f.carrier = a.carrier
group by day, airline
order by day, airline
