import type { PluginLogger } from '@millrace/sdk'
import type { PostgresConnection } from '../_shared/postgres-wire/index.ts'
import { Catalogue, type CatalogueTable, listTables, type TableName } from './catalogue.ts'
import { CapturedTable, type RowColumn, type TableSettings } from './captured-table.ts'
import type { Config } from './config.ts'
import { anchored, splitList } from './filters.ts'
import type { RelationMessage } from './pgoutput.ts'

/** Makes captured tables of what the catalogue and relation messages say. */
export class Tables {
  readonly #config: Config
  readonly #settings: TableSettings
  readonly #logger: PluginLogger
  readonly #catalogue = new Catalogue()
  readonly #warned = new Set<string>()

  constructor(config: Config, settings: TableSettings, logger: PluginLogger) {
    this.#config = config
    this.#settings = settings
    this.#logger = logger
  }

  /** The tables that the filters choose, by schema and name. */
  async captured(connection: PostgresConnection): Promise<TableName[]> {
    const all = await listTables(connection)
    const chosen = all.filter((table) => this.#settings.filters.table(table.schema, table.table))
    // Tables are read in the order of the include list, then by name.
    const patterns = splitList(this.#config['table.include.list']).map(anchored)
    const place = (table: TableName): number =>
      patterns.findIndex((pattern) => pattern.test(`${table.schema}.${table.table}`))
    return chosen.sort((left, right) => place(left) - place(right))
  }

  /** Tables as they are now, for a snapshot: generated columns and all. */
  async describe(
    connection: PostgresConnection,
    tables: readonly TableName[],
  ): Promise<Map<number, { table: CapturedTable; columns: readonly string[] }>> {
    const described = await this.#catalogue.tables(
      connection,
      tables.map((table) => table.oid),
    )
    const types = await this.#catalogue.types(
      connection,
      [...described.values()].flatMap((table) => table.columns.map((column) => column.typeOid)),
    )
    return new Map(
      [...described].map(([oid, table]) => {
        const columns = table.columns.map((column): RowColumn => ({ ...column, type: types.get(column.typeOid) }))
        const captured = this.#compile(table, columns, table.keyColumns, () => true)
        return [oid, { table: captured, columns: table.columns.map((column) => column.name) }]
      }),
    )
  }

  /** The table of a relation message, or null when it is not captured. */
  async relation(
    connection: PostgresConnection,
    relation: RelationMessage,
    xid: number | null,
  ): Promise<CapturedTable | null> {
    if (!this.#settings.filters.table(relation.schema, relation.table)) return null
    if (xid !== null) await settled(connection, xid)
    const known = (await this.#catalogue.tables(connection, [relation.oid])).get(relation.oid)
    const types = await this.#catalogue.types(
      connection,
      relation.columns.map((column) => column.typeOid),
    )
    const columns = relation.columns.map((column): RowColumn => {
      const now = known?.columns.find((candidate) => candidate.name === column.name)
      return {
        name: column.name,
        type: types.get(column.typeOid),
        typeModifier: column.typeModifier,
        // With the default replica identity the flag means the primary key, whose columns are never null.
        notNull: now?.notNull ?? (column.isKey && relation.replicaIdentity === 'd'),
        defaultExpression: now?.defaultExpression,
      }
    })
    const flagged = new Set(relation.columns.filter((column) => column.isKey).map((column) => column.name))
    const inOldRow = (column: string): boolean => relation.replicaIdentity === 'f' || flagged.has(column)
    return this.#compile(relation, columns, keyOf(relation, known, flagged), inOldRow)
  }

  #compile(
    name: { schema: string; table: string },
    columns: readonly RowColumn[],
    key: readonly string[],
    inOldRow: (column: string) => boolean,
  ): CapturedTable {
    return new CapturedTable(
      name,
      columns,
      { columns: key, inOldRow },
      {
        ...this.#settings,
        onUnknownType: (column, type) => this.#warnUnknown(`${name.schema}.${name.table}.${column}`, type),
      },
    )
  }

  #warnUnknown(column: string, type: string): void {
    if (this.#warned.has(column)) return
    this.#warned.add(column)
    this.#logger.warn({ column, type }, 'column left out: its type has no Connect form; see include.unknown.datatypes')
  }
}

const SETTLE_TRIES = 50
const SETTLE_MS = 10

/**
 * A transaction can be in the stream a moment before other sessions see it, and the catalogue would still show a
 * table as it was before. Its lock on its own number goes after that; waiting has an end, because a transaction
 * may in turn wait for us (synchronous replication).
 */
async function settled(connection: PostgresConnection, xid: number): Promise<void> {
  for (let attempt = 0; attempt < SETTLE_TRIES; attempt++) {
    const [lock] = await connection.rows(
      `select 1 from pg_locks where locktype = 'transactionid' and mode = 'ExclusiveLock' and transactionid = '${xid}'`,
    )
    if (lock === undefined) return
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  }
}

/**
 * With the default replica identity the message itself marks the primary key as it was at that point of the WAL;
 * the catalogue only knows the present one, and the order of its columns.
 */
function keyOf(
  relation: RelationMessage,
  known: CatalogueTable | undefined,
  flagged: ReadonlySet<string>,
): readonly string[] {
  const present = known?.keyColumns ?? []
  if (relation.replicaIdentity !== 'd' || flagged.size === 0) return present
  const same = present.length === flagged.size && present.every((column) => flagged.has(column))
  return same ? present : relation.columns.filter((column) => column.isKey).map((column) => column.name)
}
