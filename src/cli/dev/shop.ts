import type pg from 'pg'
import type { Random } from '../../base/index.ts'

/** The tables that the quick start captures and copies. */
export const SHOP_TABLES = ['customers', 'products', 'orders', 'order_items'] as const

const MARK = 'quick start of Millrace'

const SCHEMA = `
create schema shop; comment on schema shop is '${MARK}';
create schema reporting; comment on schema reporting is '${MARK}';
create table shop.customers (id bigint generated always as identity primary key, name text not null, email text not null,
  created_at timestamptz not null default now());
create table shop.products (id bigint generated always as identity primary key, name text not null,
  price numeric(10,2) not null, stock int not null);
create table shop.orders (id bigint generated always as identity primary key, customer_id bigint not null,
  status text not null default 'new', total numeric(12,2) not null, created_at timestamptz not null default now());
create table shop.order_items (order_id bigint not null, line int not null, product_id bigint not null,
  quantity int not null, price numeric(10,2) not null, primary key (order_id, line));
create table shop.driver (id bigint generated always as identity primary key, name text not null, rating numeric(3,2) not null,
  "timestamp" timestamp not null default (now() at time zone 'utc'));
insert into shop.customers (name, email) select 'Customer ' || n, 'customer' || n || '@example.org' from generate_series(1, 20) n;
insert into shop.products (name, price, stock) select 'Product ' || n, n * 1.25, 1000 from generate_series(1, 30) n;
insert into shop.driver (name, rating) select 'Driver ' || n, 4.5 from generate_series(1, 5) n;
`
const ROWS_AT_START = 50

/** Makes the sample database; schemas of an earlier quick start are replaced, those of somebody else are refused. */
export async function createShop(client: pg.Client): Promise<void> {
  const found = await client.query<{ name: string; comment: string | null }>(
    `select nspname as name, obj_description(oid, 'pg_namespace') as comment from pg_namespace where nspname in ('shop', 'reporting')`,
  )
  for (const { name, comment } of found.rows) {
    if (comment !== MARK) {
      throw new Error(`the database has a schema "${name}" that is not the quick start's; use another DATABASE_URL`)
    }
    await client.query(`drop schema "${name}" cascade`)
  }
  await client.query(SCHEMA)
}

/** Removes what `createShop` and the connectors made, so that no slot keeps WAL in somebody's database. */
export async function dropShop(client: pg.Client): Promise<void> {
  await client.query('drop publication if exists millrace_quickstart')
  await client.query(
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = 'millrace_quickstart' and not active`,
  )
  await client.query('drop schema if exists shop cascade; drop schema if exists reporting cascade')
}

/** Makes changes one transaction at a time and counts the changed rows of the captured tables. */
export class ShopWriter {
  #changes = ROWS_AT_START
  #cancellable: number[] = []
  readonly #client: pg.Client
  readonly #random: Random

  constructor(client: pg.Client, random: Random) {
    this.#client = client
    this.#random = random
  }

  /** Rows inserted, updated and deleted in the captured tables, those of the start included. */
  get changes(): number {
    return this.#changes
  }

  /** One business event: mostly orders, sometimes customers, drivers and cancellations. */
  async step(): Promise<void> {
    const dice = this.#random.next()
    if (dice < 0.55) await this.#placeOrder()
    else if (dice < 0.75) await this.#advanceOrder()
    else if (dice < 0.85) await this.#cancelOrder()
    else if (dice < 0.95) await this.#updateDriver()
    else await this.#newCustomer()
  }

  #pick(below: number): number {
    return 1 + Math.floor(this.#random.next() * below)
  }

  async #placeOrder(): Promise<void> {
    const lines = this.#pick(3)
    const order = await this.#client.query<{ id: string; changed: number }>(
      `with placed as (insert into shop.orders (customer_id, total) values ($1, $2) returning id),
        items as (insert into shop.order_items (order_id, line, product_id, quantity, price)
          select placed.id, line, 1 + (line * 7 + $1::bigint) % 30, line, 9.99 from placed, generate_series(1, $3::int) line returning 1),
        taken as (update shop.products set stock = stock - 1 where id = $4 returning 1)
       select placed.id, (1 + (select count(*) from items) + (select count(*) from taken))::int as changed from placed`,
      [this.#pick(20), (lines * 9.99).toFixed(2), lines, this.#pick(30)],
    )
    const placed = order.rows[0]
    if (!placed) return
    this.#changes += placed.changed
    this.#cancellable.push(Number(placed.id))
    if (this.#cancellable.length > 50) this.#cancellable.shift()
  }

  async #advanceOrder(): Promise<void> {
    const result = await this.#client.query(
      `update shop.orders set status = case status when 'new' then 'paid' when 'paid' then 'shipped' else 'delivered' end
       where id = (select max(id) - $1 from shop.orders)`,
      [this.#pick(10)],
    )
    this.#changes += result.rowCount ?? 0
  }

  async #cancelOrder(): Promise<void> {
    const id = this.#cancellable.shift()
    if (id === undefined) return
    const result = await this.#client.query<{ changed: number }>(
      `with items as (delete from shop.order_items where order_id = $1 returning 1),
        cancelled as (delete from shop.orders where id = $1 returning 1)
       select ((select count(*) from items) + (select count(*) from cancelled))::int as changed`,
      [id],
    )
    this.#changes += result.rows[0]?.changed ?? 0
  }

  async #updateDriver(): Promise<void> {
    await this.#client.query(
      `update shop.driver set rating = 3 + $1::numeric / 10, "timestamp" = now() at time zone 'utc' where id = $2`,
      [this.#pick(20), this.#pick(5)],
    )
  }

  async #newCustomer(): Promise<void> {
    const name = `Customer ${this.#random.bytes(3).toString('hex')}`
    await this.#client.query('insert into shop.customers (name, email) values ($1, $2)', [
      name,
      `${name.slice(9)}@example.org`,
    ])
    this.#changes++
  }
}

/** How many rows a table and its reporting copy have, and whether their contents are the same. */
export interface Comparison {
  readonly table: string
  readonly rows: number
  readonly copied: number
  readonly same: boolean
}

/** Compares each captured table with its copy, by the text of the columns that both have. */
export async function compareCopies(client: pg.Client): Promise<Comparison[]> {
  const results: Comparison[] = []
  for (const table of SHOP_TABLES) {
    const exists = await client.query(`select to_regclass('reporting.${table}') is not null as found`)
    const rows = await count(client, `shop.${table}`)
    const copied = exists.rows[0]?.found ? await count(client, `reporting.${table}`) : 0
    const keys = table === 'order_items' ? ['order_id', 'line', 'quantity'] : ['id', ...contentColumns(table)]
    const digest = (schema: string) =>
      `(select md5(coalesce(string_agg(concat_ws('|', ${keys.join(', ')}), ',' order by ${keys.slice(0, 2).join(', ')}), '')) from ${schema}.${table})`
    const same = exists.rows[0]?.found
      ? (await client.query(`select ${digest('shop')} = ${digest('reporting')} as same`)).rows[0]?.same === true
      : rows === 0
    results.push({ table, rows, copied, same })
  }
  return results
}

function contentColumns(table: (typeof SHOP_TABLES)[number]): string[] {
  if (table === 'customers') return ['name', 'email']
  return table === 'products' ? ['name', 'price', 'stock'] : ['customer_id', 'status', 'total']
}

async function count(client: pg.Client, table: string): Promise<number> {
  const result = await client.query<{ n: number }>(`select count(*)::int as n from ${table}`)
  return result.rows[0]?.n ?? 0
}
