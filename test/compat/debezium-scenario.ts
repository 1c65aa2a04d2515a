// What was run against Debezium 3.7.0.Final to make golden/debezium-*.json, and is run against ours to compare.

/** Tables and rows that the snapshot sees. */
export const before = `
set time zone 'UTC';
begin;
create schema inv;
create extension if not exists hstore;
create extension if not exists citext;
create extension if not exists ltree;
create type inv.mood as enum ('sad', 'ok', 'happy');
alter type inv.mood add value 'meh' before 'ok';
commit;
create domain inv.short_text as varchar(10);
create domain inv.amount as numeric(9,3);
create type inv.pair as (a int, b text);

create table inv.every_type (
  id serial primary key,
  c_bool boolean, c_bit1 bit(1), c_bit7 bit(7), c_bit64 bit(64), c_varbit varbit, c_varbit1 varbit(1), c_varbit5 varbit(5),
  c_smallint smallint, c_int int, c_bigint bigint, c_oid oid, c_real real, c_double double precision,
  c_char5 char(5), c_char char, c_varchar varchar(20), c_varchar_free varchar, c_text text, c_name name, c_citext citext, c_ichar "char",
  c_bytea bytea, c_num82 numeric(8,2), c_num50 numeric(5,0), c_num38 numeric(38,10), c_num_free numeric, c_money money,
  c_date date, c_time time, c_time0 time(0), c_time3 time(3), c_time5 time(5), c_timetz timetz, c_timetz2 timetz(2),
  c_ts timestamp, c_ts0 timestamp(0), c_ts3 timestamp(3), c_ts4 timestamp(4), c_tstz timestamptz, c_tstz0 timestamptz(0), c_tstz3 timestamptz(3),
  c_interval interval, c_json json, c_jsonb jsonb, c_xml xml, c_uuid uuid, c_ltree ltree, c_tsvector tsvector, c_hstore hstore,
  c_enum inv.mood, c_dom_text inv.short_text, c_dom_num inv.amount,
  c_inet inet, c_cidr cidr, c_mac macaddr, c_mac8 macaddr8,
  c_int4range int4range, c_int8range int8range, c_numrange numrange, c_tsrange tsrange, c_tstzrange tstzrange, c_daterange daterange,
  c_point point, c_box box, c_lseg lseg, c_path path, c_polygon polygon, c_circle circle, c_line line,
  c_composite inv.pair, c_tsquery tsquery, c_multirange int4multirange, c_pg_lsn pg_lsn, c_xid xid,
  a_int2 int2[], a_int4 int4[], a_int8 int8[], a_oid oid[], a_text text[], a_varchar varchar(9)[], a_char char(3)[], a_num numeric(6,2)[], a_num_free numeric[],
  a_float4 float4[], a_float8 float8[], a_bool bool[], a_date date[], a_time time[], a_timetz timetz[], a_ts timestamp[], a_tstz timestamptz[],
  a_uuid uuid[], a_json json[], a_jsonb jsonb[], a_bytea bytea[], a_inet inet[], a_cidr cidr[], a_mac macaddr[], a_enum inv.mood[], a_citext citext[], a_ltree ltree[], a_hstore hstore[],
  a_int4range int4range[], a_tsrange tsrange[], a_tstzrange tstzrange[], a_numrange numrange[], a_daterange daterange[], a_int8range int8range[],
  a_money money[], a_name name[], a_interval interval[], a_varbit varbit[], a_xml xml[], a_point point[]
);
alter table inv.every_type replica identity full;
insert into inv.every_type values (default,
  true, B'1', B'0000011', B'1000000000000000000000000000000000000000000000000000000000000101', B'101', B'0', B'00110',
  -32768, 2147483647, -9223372036854775808, 4000000000, 1.5, 3.141592653589793,
  'abc', 'x', 'va"r\\ch', E'tab\\there\\nnl', E'\\u00e9\\u4e2d\\U0001F600 /', 'nam', 'CiText', 'q',
  '\\x010203ff', 12.5, -99999, 1234567890123456789012345678.0123456789, 10.1111, 1234.11,
  '2016-11-04', '13:51:30', '13:51:30', '13:51:30.123', '13:51:30.12345', '13:51:30.123789+02', '13:51:30.12+02',
  '2016-11-04 13:51:30.123456', '2016-11-04 13:51:30', '2016-11-04 13:51:30.123', '2016-11-04 13:51:30.1234', '2016-11-04 13:51:30.123456+02', '2016-11-04 13:51:30+02', '2016-11-04 13:51:30.1+02',
  '1 year 2 mons 3 days 04:05:06.78', '{"a": 1,  "b":[1,2]}', '{"b":[1,2],"a":1.50}', '<a>b</a>', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a.b.c', 'the fat cat', 'k=>v, n=>null, "a b"=>"q\\"x"',
  'meh', 'dom', 12.345,
  '192.168.1.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
  '[1,10)', '[1,10)', '[1.5,2.5]', '[2010-01-01 14:30, 2010-01-01 15:30)', '["2017-06-05 11:29:12.549426+00",)', '[2016-01-01,2016-02-01)',
  '(1,2)', '(3,4),(1,2)', '[(1,2),(3,4)]', '[(1,2),(3,4),(5,6)]', '((0,0),(1,1),(1,0))', '<(1,2),3>', '{1,2,3}',
  row(1,'x'), $$'fat' & 'cat'$$, '{[1,3),[5,7)}', '16/B374D848', '12345',
  '{1,null,-3}', '{1,null,3}', '{1,9223372036854775807}', '{1,4000000000}', '{a,null,"b c","q\\"\\\\x",""}', '{ab,cd}', '{ab,abc}', '{1.2,3.45,null}', '{1.20,300}',
  '{1.5,null}', '{2.5,NaN}', '{t,f,null}', '{2016-11-04,null}', '{13:51:30.5}', '{13:51:30+02}', '{"2016-11-04 13:51:30.123456"}', '{"2016-11-04 13:51:30.123456+02"}',
  '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', array['{"a":1}'::json,null], array['[1,2]'::jsonb], array['\\x0102'::bytea,null], '{192.168.1.1}', '{10.0.0.0/8}', '{08:00:2b:01:02:03}', '{sad,happy}', '{Ci}', '{a.b}', array['k=>v'::hstore],
  '{"[1,3)",null}', array['[2010-01-01,2010-02-01)'::tsrange], array['[2010-01-01 00:00:00+00,)'::tstzrange], '{"[1.5,2)"}', array['[2016-01-01,2016-02-01)'::daterange], '{"[1,3)"}',
  '{1.5}', '{n1}', '{"1 day"}', '{101}', '{<a/>}', array['(1,2)'::point]);
insert into inv.every_type (id) values (default);
insert into inv.every_type (c_bool, c_bit1, c_bit7, c_varbit, c_smallint, c_bigint, c_real, c_double, c_char5, c_text, c_bytea, c_num82, c_num_free, c_money, c_date, c_time, c_time3, c_timetz,
  c_ts, c_ts3, c_tstz, c_tstz3, c_interval, c_json, c_hstore, c_tstzrange, c_point, c_path, a_int4, a_text, a_num, a_bool)
values (false, B'0', B'0000000', B'', 0, 0, 'NaN', 'Infinity', '', '', '', -0.01, -1234567.8900, -0.5, '1969-12-31', '24:00:00', '00:00:00.001', '00:00:00+14',
  '1969-12-31 23:59:59.999999', '1900-01-01', '0001-12-31 23:59:59.5 BC', '20000-01-01 00:00:00+00', '-1 year -2 days +03:00:00.5', 'null', '', '(,"2017-06-05 11:29:12+00"]', '(-1.5,1e10)', '((1,2),(3,4))', '{}', '{}', '{}', '{}');
insert into inv.every_type (c_real, c_double, c_char5, c_num82, c_num50, c_num_free, c_date, c_time, c_timetz, c_ts, c_ts3, c_tstz, c_tstz3, c_interval, c_money)
values ('-Infinity', '1e300', 'ab  ', 0, 7, 1e20, '0044-03-15 BC', '00:00', '24:00:00-02', 'infinity', 'infinity', 'infinity', '-infinity', '0', 123456789.99),
  (1e-10, 1e21, '     ', 999999.99, -0, 0.000, '9999-12-31', '23:59:59.999999', '12:00:00.5+05:30', '-infinity', '-infinity', '12000-01-01 00:00:00+00', '0044-03-15 12:00:00+00 BC', '1 mon -00:00:00.000001', 0),
  (123456.789, 0.1, 'é', 1.1, 1, 'NaN', '2000-02-29', '01:02:03.4', '01:02:03', '0044-03-15 12:00:00 BC', '9999-12-31 23:59:59.999', '1969-12-31 23:59:59.999999+00', '2016-11-04 13:51:30.999+00', '100000 hours', -1);

create table inv.fallbacks (
  id int primary key,
  n_bool boolean not null, n_bit bit(5) not null, n_small smallint not null, n_int int not null, n_big bigint not null, n_real real not null, n_double double precision not null,
  n_text text not null, n_bytea bytea not null, n_num numeric(8,2) not null, n_num_free numeric not null, n_money money not null, n_date date not null, n_time time not null, n_timetz timetz not null,
  n_ts timestamp not null, n_ts3 timestamp(3) not null, n_tstz timestamptz not null, n_interval interval not null, n_json json not null, n_jsonb jsonb not null, n_uuid uuid not null, n_xml xml not null,
  n_enum inv.mood not null, n_inet inet not null, n_range int4range not null, n_point point not null, n_arr int[] not null, n_tarr text[] not null, n_hstore hstore not null, n_ltree ltree not null, n_ts_v tsvector not null,
  n_bit1 bit(1) not null, n_char char(4) not null, n_circle circle not null,
  d_int int not null default 5, d_text text not null default 'it''s', d_num numeric(6,2) not null default 1.5, d_bool boolean not null default true, d_ts timestamptz not null default now(), d_date date not null default '2020-01-02',
  d_tsl timestamp not null default '2020-01-02 03:04:05', d_enum inv.mood not null default 'ok', d_uuid uuid not null default gen_random_uuid(), d_json jsonb not null default '{}', d_bytea bytea not null default '\\x0a',
  d_big bigint not null default 1234567890123, d_double double precision not null default 2.5, d_varchar varchar(10) not null default 'x', d_small smallint not null default '7', d_neg int not null default -3,
  q_int int default 5, q_text text default 'dflt', q_bool boolean default false, q_num numeric default 3.14, q_arr int[] default '{1,2}', q_date date default current_date, q_time time default '10:20:30', q_interval interval default '1 day', q_bit bit(3) default B'101', q_null text default null
);
insert into inv.fallbacks values (1, true, B'10101', 1, 2, 3, 1.5, 2.5, 't', '\\x01', 1.5, 2.5, 3.5, '2020-01-01', '10:00', '10:00+00', '2020-01-01', '2020-01-01', '2020-01-01 00:00+00', '1 day', '{"a":1}', '{"a":1}',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '<x/>', 'sad', '1.1.1.1', '[1,2)', '(1,1)', '{1}', '{a}', 'a=>1', 'a.b', 'cat', B'1', 'ab', '<(1,2),3>', default, default, default, default, '2021-01-01 00:00+00', default, default, default, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
insert into inv.fallbacks select 2, n_bool, n_bit, n_small, n_int, n_big, n_real, n_double, n_text, n_bytea, n_num, n_num_free, n_money, n_date, n_time, n_timetz, n_ts, n_ts3, n_tstz, n_interval, n_json, n_jsonb, n_uuid, n_xml, n_enum, n_inet, n_range, n_point, n_arr, n_tarr, n_hstore, n_ltree, n_ts_v, n_bit1, n_char, n_circle,
  9, 'other', 2, false, d_ts, d_date, d_tsl, d_enum, d_uuid, d_json, d_bytea, 1, 1, 'y', 1, 1, null, null, null, null, null, null, null, null, null, null from inv.fallbacks where id = 1;

create table inv.plain (id int primary key, v text, qty int default 5);
insert into inv.plain values (1, 'one', 1);
create table inv.composite (a int, b text, v text, primary key (b, a));
insert into inv.composite values (1, 'x', 'v1'), (2, 'y', 'v2'), (3, 'z', 'v3');
create table inv.ri_full (id int primary key, v text, qty int default 5);
alter table inv.ri_full replica identity full;
create table inv.nokey (v text, n int);
alter table inv.nokey replica identity full;
insert into inv.nokey values ('a', 1);
create table inv.uniq (code text not null, other int not null, v text);
create unique index uniq_code on inv.uniq (code, other);
alter table inv.uniq replica identity full;
insert into inv.uniq values ('c', 1, 'v');
create table inv.uniq_nullable (code text unique, v text);
alter table inv.uniq_nullable replica identity full;
insert into inv.uniq_nullable values ('c', 'v');
create table inv.toasted (id int primary key, big text not null, big_b bytea, big_j jsonb, big_a text[], big_v varchar, big_i int[], big_l bigint[], small int);
alter table inv.toasted alter big set storage external, alter big_b set storage external, alter big_a set storage external, alter big_v set storage external, alter big_i set storage external, alter big_l set storage external;
create table inv.toasted_full (id int primary key, big text, small int);
alter table inv.toasted_full alter big set storage external;
alter table inv.toasted_full replica identity full;
create table inv."odd|name@x y" (id int primary key, "Weird Col" text, "q""uote" int);
insert into inv."odd|name@x y" values (1, 'w', 2);
create table inv.generated (id int primary key, a int, twice int generated always as (a * 2) stored);
insert into inv.generated values (1, 5, default);
create table inv.parts (id int, v text, primary key (id)) partition by range (id);
create table inv.parts_1 partition of inv.parts for values from (0) to (10);
create table inv.parts_2 partition of inv.parts for values from (10) to (20);
insert into inv.parts values (1, 'p1'), (11, 'p2');
create table inv.empty_one (id int primary key);
create table inv.using_index (id int primary key, alt int not null, v text);
create unique index using_index_alt on inv.using_index (alt);
alter table inv.using_index replica identity using index using_index_alt;
insert into inv.using_index values (1, 10, 'v');
create table inv.altered (id int primary key, a text, b int not null default 3);
insert into inv.altered values (1, 'a', 1);
create view inv.a_view as select * from inv.plain;
`

/** Statements run one after another, each a transaction, while the connector streams. */
export const changes: readonly string[] = [
  `insert into inv.plain values (2, 'two', null)`,
  `update inv.plain set v = 'uno' where id = 1`,
  `update inv.plain set id = 20, v = 'moved' where id = 2`,
  `delete from inv.plain where id = 1`,
  `begin; insert into inv.plain values (3, 'x', 3); update inv.plain set v = 'y' where id = 3; insert into inv.composite values (4, 'w', 'v4'); commit`,
  `insert into inv.plain select g, 'bulk', g from generate_series(100, 104) g`,
  `update inv.composite set b = 'yy' where a = 2`,
  `delete from inv.composite where a = 1`,
  `insert into inv.ri_full values (1, 'a', null), (2, 'b', 2)`,
  `update inv.ri_full set v = 'aa' where id = 1`,
  `update inv.ri_full set id = 9 where id = 2`,
  `delete from inv.ri_full where id = 1`,
  `insert into inv.nokey values ('b', 2)`,
  `update inv.nokey set n = 3 where v = 'b'`,
  `delete from inv.nokey where v = 'b'`,
  `insert into inv.uniq values ('d', 2, 'w')`,
  `update inv.uniq set v = 'ww' where code = 'd'`,
  `delete from inv.uniq where code = 'd'`,
  `update inv.uniq_nullable set v = 'ww'`,
  `insert into inv.toasted select 1, string_agg(md5(g::text), ''), string_agg(decode(md5(g::text), 'hex'), ''), jsonb_agg(md5(g::text)), array_agg(md5(g::text)), string_agg(md5(g::text), ''), array_agg(g), array_agg(g::bigint), 1 from generate_series(1, 2000) g`,
  `update inv.toasted set small = 2`,
  `delete from inv.toasted`,
  `insert into inv.toasted_full select 1, string_agg(md5(g::text), ''), 1 from generate_series(1, 300) g`,
  `update inv.toasted_full set small = 2`,
  `update inv."odd|name@x y" set "Weird Col" = 'changed'`,
  `insert into inv.generated values (2, 6)`,
  `update inv.generated set a = 7 where id = 2`,
  `insert into inv.parts values (2, 'p1'), (12, 'p2')`,
  `update inv.parts set id = 13 where id = 2`,
  `insert into inv.empty_one values (1)`,
  `update inv.using_index set v = 'w'`,
  `update inv.using_index set alt = 11`,
  `delete from inv.using_index`,
  `delete from inv.fallbacks`,
  `insert into inv.every_type select 100 + id, c_bool, c_bit1, c_bit7, c_bit64, c_varbit, c_varbit1, c_varbit5, c_smallint, c_int, c_bigint, c_oid, c_real, c_double, c_char5, c_char, c_varchar, c_varchar_free, c_text, c_name, c_citext, c_ichar, c_bytea, c_num82, c_num50, c_num38, c_num_free, c_money, c_date, c_time, c_time0, c_time3, c_time5, c_timetz, c_timetz2, c_ts, c_ts0, c_ts3, c_ts4, c_tstz, c_tstz0, c_tstz3, c_interval, c_json, c_jsonb, c_xml, c_uuid, c_ltree, c_tsvector, c_hstore, c_enum, c_dom_text, c_dom_num, c_inet, c_cidr, c_mac, c_mac8, c_int4range, c_int8range, c_numrange, c_tsrange, c_tstzrange, c_daterange, c_point, c_box, c_lseg, c_path, c_polygon, c_circle, c_line, c_composite, c_tsquery, c_multirange, c_pg_lsn, c_xid, a_int2, a_int4, a_int8, a_oid, a_text, a_varchar, a_char, a_num, a_num_free, a_float4, a_float8, a_bool, a_date, a_time, a_timetz, a_ts, a_tstz, a_uuid, a_json, a_jsonb, a_bytea, a_inet, a_cidr, a_mac, a_enum, a_citext, a_ltree, a_hstore, a_int4range, a_tsrange, a_tstzrange, a_numrange, a_daterange, a_int8range, a_money, a_name, a_interval, a_varbit, a_xml, a_point from inv.every_type order by id`,
  `delete from inv.every_type where id = 102`,
  `insert into inv.altered values (2, 'b', 2)`,
  `alter table inv.altered add column c varchar(7) not null default 'new', add column d numeric(5,1)`,
  `insert into inv.altered values (3, 'c', 3, 'x', 1.5)`,
  `alter table inv.altered drop column a`,
  `insert into inv.altered values (4, 4, 'y', 2)`,
  `alter table inv.altered alter column b type bigint`,
  `insert into inv.altered values (5, 5, 'z', 3)`,
  `create table inv.later (id int primary key, v text); insert into inv.later values (1, 'l')`,
  `alter type inv.mood add value 'elated'`,
  `insert into inv.every_type (id, c_enum) values (200, 'elated')`,
  `truncate inv.plain, inv.composite`,
  `select pg_logical_emit_message(true, 'foo', 'transactional')`,
  `select pg_logical_emit_message(false, 'bar', 'at once')`,
  `insert into inv.plain values (999, 'end', 0)`,
]

/**
 * The configurations that were captured; each also names tables, slot and publication. `connect` was captured with
 * column.propagate.source.type as well; the parameters that it adds to schemas are not in the golden file.
 */
export const variants: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  default: {},
  connect: {
    'decimal.handling.mode': 'string',
    'time.precision.mode': 'connect',
    'interval.handling.mode': 'string',
    'binary.handling.mode': 'hex',
    'hstore.handling.mode': 'map',
    'skipped.operations': 'none',
    'publish.via.partition.root': 'true',
    'include.unknown.datatypes': 'true',
  },
  isostring: {
    'decimal.handling.mode': 'double',
    'time.precision.mode': 'isostring',
    'binary.handling.mode': 'base64',
    'tombstones.on.delete': 'false',
    'message.key.columns': 'inv.plain:v;inv.nokey:n',
    'column.exclude.list': 'inv.ri_full.qty,inv.composite.a',
    'provide.transaction.metadata': 'false',
    'extended.headers.enabled': 'false',
  },
  microseconds: {
    'time.precision.mode': 'microseconds',
    'binary.handling.mode': 'base64-url-safe',
    'unavailable.value.placeholder': 'hex:61626364',
    'table.include.list': 'INV.plain,inv.toasted,inv.every_type',
    'money.fraction.digits': '1',
    'topic.delimiter': '-',
    'heartbeat.interval.ms': '500',
  },
  nanoseconds: { 'time.precision.mode': 'nanoseconds', 'table.include.list': 'inv.fallbacks,inv.altered' },
  'adaptive-us': { 'time.precision.mode': 'adaptive_time_microseconds', 'table.include.list': 'inv.every_type' },
}
