import { ConnectError } from '@millrace/sdk'
import { type PostgresConnection, quoteIdentifier } from '../_shared/postgres-wire/index.ts'
import type { Config } from './config.ts'
import { splitList } from './filters.ts'

/** What pg_publication says of a publication. */
export interface PublicationState {
  readonly allTables: boolean
  readonly tables: readonly string[]
}

export async function readPublication(
  connection: PostgresConnection,
  name: string,
): Promise<PublicationState | undefined> {
  const [row] = await connection.rows('select puballtables from pg_publication where pubname = $1', [name])
  if (row === undefined) return undefined
  const tables = await connection.rows(
    `select n.nspname as schema, c.relname as table from pg_publication_rel r
       join pg_publication p on p.oid = r.prpubid join pg_class c on c.oid = r.prrelid
       join pg_namespace n on n.oid = c.relnamespace where p.pubname = $1`,
    [name],
  )
  return {
    allTables: row['puballtables'] === 't',
    tables: tables.map((table) => qualified(table['schema'] ?? '', table['table'] ?? '')),
  }
}

/** schema.table as SQL identifiers. */
export const qualified = (schema: string, table: string): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`

const OPERATION_NAMES: Readonly<Record<string, string>> = { c: 'insert', u: 'update', d: 'delete', t: 'truncate' }

/** WITH (...) of a publication: only what is captured is published. */
function options(config: Config): string {
  const skipped = new Set(splitList(config['skipped.operations']))
  const published = Object.keys(OPERATION_NAMES)
    .filter((operation) => !skipped.has(operation))
    .map((operation) => OPERATION_NAMES[operation])
  const root = config['publish.via.partition.root'] ? ', publish_via_partition_root = true' : ''
  return ` WITH (publish = '${published.join(', ')}'${root})`
}

export interface PublicationPlan {
  /** The statement that makes or changes the publication; undefined when it is right. */
  readonly sql?: string
  /** Why it cannot be made right. */
  readonly problem?: string
}

/** What has to be done about the publication. `tables` are the captured ones, as SQL identifiers. */
export function planPublication(
  config: Config,
  state: PublicationState | undefined,
  tables: readonly string[],
): PublicationPlan {
  const name = quoteIdentifier(config['publication.name'])
  const mode = config['publication.autocreate.mode']
  if (mode === 'disabled') {
    if (state !== undefined) return {}
    return {
      problem:
        `publication ${name} does not exist and "publication.autocreate.mode" is "disabled". Run: CREATE ` +
        `PUBLICATION ${name} FOR ALL TABLES; or set the mode to "filtered"`,
    }
  }
  if (mode === 'no_tables') return state === undefined ? { sql: `CREATE PUBLICATION ${name}${options(config)}` } : {}
  if (mode === 'all_tables') {
    return state === undefined ? { sql: `CREATE PUBLICATION ${name} FOR ALL TABLES${options(config)}` } : {}
  }
  if (tables.length === 0) {
    return {
      problem:
        `no table matches the filters, so a filtered publication ${name} would be empty. Check ` +
        '"table.include.list" and "schema.include.list"',
    }
  }
  if (state === undefined) {
    return { sql: `CREATE PUBLICATION ${name} FOR TABLE ${tables.join(', ')}${options(config)}` }
  }
  if (state.allTables) {
    return {
      problem:
        `publication ${name} is FOR ALL TABLES, which "publication.autocreate.mode" "filtered" cannot change. ` +
        `Run: DROP PUBLICATION ${name}; or set the mode to "all_tables"`,
    }
  }
  const same = tables.length === state.tables.length && tables.every((table) => state.tables.includes(table))
  return same ? {} : { sql: `ALTER PUBLICATION ${name} SET TABLE ${tables.join(', ')}` }
}

/** Makes the publication what the configuration asks for. */
export async function ensurePublication(
  connection: PostgresConnection,
  config: Config,
  tables: readonly string[],
): Promise<void> {
  const state = await readPublication(connection, config['publication.name'])
  const plan = planPublication(config, state, tables)
  if (plan.problem !== undefined) throw new ConnectError(plan.problem)
  if (plan.sql !== undefined) await connection.query(plan.sql)
}
