import { type PostgresConnection, quoteLiteral } from '../_shared/postgres-wire/index.ts'
import type { PostgresType } from './types/registry.ts'

/** A column as the catalogue describes it now. */
export interface CatalogueColumn {
  readonly name: string
  readonly typeOid: number
  readonly typeModifier: number
  readonly notNull: boolean
  readonly defaultExpression: string | undefined
}

/** A table as the catalogue describes it now. */
export interface CatalogueTable {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** pg_class.relreplident: d default, n nothing, f full, i index. */
  readonly replicaIdentity: string
  readonly columns: readonly CatalogueColumn[]
  /** In the order of the primary key, or of a unique index where there is none. */
  readonly keyColumns: readonly string[]
  readonly hasPrimaryKey: boolean
}

const COLUMNS = `
select c.oid, n.nspname as schema, c.relname as table, c.relreplident as identity,
  a.attname as name, a.atttypid as type, a.atttypmod as modifier, a.attnotnull as not_null,
  case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default
from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum`

/** Keys that a row always has: the primary key first, then unique indexes over plain columns, by name. */
const KEYS = `
select i.indrelid as oid, i.indisprimary as primary,
  array_to_json(array(select a.attname from unnest(i.indkey::int2[]) with ordinality k(attnum, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where k.place <= i.indnkeyatts order by k.place)) as columns
from pg_index i join pg_class c on c.oid = i.indexrelid
where i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null`

const TYPES = `
select t.oid, t.typname as name, t.typtype as kind, t.typbasetype as base, t.typtypmod as base_modifier,
  case when t.typcategory = 'A' then t.typelem else 0 end as element,
  (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) as labels
from pg_type t where t.oid in `

/** Reads tables and types from the catalogue, over a connection that the caller owns. */
export class Catalogue {
  readonly #types = new Map<number, PostgresType>()

  /** The types of these oids and all that they are made of; enums are read again each time, for new labels. */
  async types(connection: PostgresConnection, oids: Iterable<number>): Promise<ReadonlyMap<number, PostgresType>> {
    for (const type of this.#types.values()) if (hasLabels(type)) this.#types.delete(type.oid)
    await this.#load(connection, [...new Set(oids)])
    return this.#types
  }

  async #load(connection: PostgresConnection, wanted: readonly number[]): Promise<void> {
    const missing = wanted.filter((oid) => oid !== 0 && !this.#types.has(oid))
    if (missing.length === 0) return
    const rows = await connection.rows(`${TYPES} (${missing.join(', ')})`)
    await this.#load(
      connection,
      rows.flatMap((row) => [Number(row['base']), Number(row['element'])]),
    )
    for (const row of rows) {
      const oid = Number(row['oid'])
      this.#types.set(oid, {
        oid,
        name: row['name'] ?? '',
        kind: row['kind'] ?? 'b',
        element: this.#types.get(Number(row['element'])),
        base: this.#types.get(Number(row['base'])),
        baseModifier: Number(row['base_modifier']),
        labels: JSON.parse(row['labels'] ?? '[]') as string[],
      })
    }
  }

  /** Tables by oid; one that is gone is left out. */
  async tables(connection: PostgresConnection, oids: readonly number[]): Promise<Map<number, CatalogueTable>> {
    if (oids.length === 0) return new Map()
    const list = oids.join(', ')
    const columns = await connection.rows(`${COLUMNS} where c.oid in (${list}) order by c.oid, a.attnum`)
    const keys = await connection.rows(`${KEYS} and i.indrelid in (${list}) order by i.indisprimary desc, c.relname`)
    const tables = new Map<number, CatalogueTable & { columns: CatalogueColumn[] }>()
    for (const row of columns) {
      const oid = Number(row['oid'])
      let table = tables.get(oid)
      if (table === undefined) {
        const key = keys.find((candidate) => Number(candidate['oid']) === oid)
        table = {
          oid,
          schema: row['schema'] ?? '',
          table: row['table'] ?? '',
          replicaIdentity: row['identity'] ?? 'd',
          columns: [],
          keyColumns: JSON.parse(key?.['columns'] ?? '[]') as string[],
          hasPrimaryKey: key?.['primary'] === 't',
        }
        tables.set(oid, table)
      }
      table.columns.push({
        name: row['name'] ?? '',
        typeOid: Number(row['type']),
        typeModifier: Number(row['modifier']),
        notNull: row['not_null'] === 't',
        defaultExpression: row['default'] ?? undefined,
      })
    }
    return tables
  }
}

const hasLabels = (type: PostgresType): boolean =>
  type.kind === 'e' ||
  (type.element !== undefined && hasLabels(type.element)) ||
  (type.base !== undefined && hasLabels(type.base))

/** A table that could be captured. */
export interface TableName {
  readonly oid: number
  readonly schema: string
  readonly table: string
  /** p a partitioned table, r an ordinary one. */
  readonly kind: string
  readonly isPartition: boolean
}

/** All tables but those of the system, by schema and name. */
export async function listTables(connection: PostgresConnection): Promise<TableName[]> {
  const rows = await connection.rows(`
    select c.oid, n.nspname as schema, c.relname as table, c.relkind as kind, c.relispartition as partition
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and c.relpersistence = 'p'
      and n.nspname not in (${['pg_catalog', 'information_schema', 'pg_toast'].map(quoteLiteral).join(', ')})
    order by n.nspname, c.relname`)
  return rows.map((row) => ({
    oid: Number(row['oid']),
    schema: row['schema'] ?? '',
    table: row['table'] ?? '',
    kind: row['kind'] ?? 'r',
    isPartition: row['partition'] === 't',
  }))
}
