import type { ColumnDescription, TableDescription, TableFilter } from '../dialect.ts'
import type { SqlConnection } from '../sql.ts'
import { plainName, quoteAlways, quotedName, type TableId } from '../table-id.ts'
import type { PostgresColumn } from './rows-query.ts'
import type { ColumnFacts } from './readers.ts'

/** pgjdbc's names of the kinds of relations. */
const KIND = `case
  when n.nspname in ('pg_catalog', 'information_schema') then case c.relkind when 'v' then 'SYSTEM VIEW' else 'SYSTEM TABLE' end
  when c.relpersistence = 't' then 'LOCAL TEMPORARY'
  else case c.relkind when 'r' then 'TABLE' when 'p' then 'PARTITIONED TABLE' when 'v' then 'VIEW'
    when 'm' then 'MATERIALIZED VIEW' when 'f' then 'FOREIGN TABLE' end
end`

/** All tables of the asked types that the user may see, in the order of their names. */
export async function listTables(connection: SqlConnection, filter: TableFilter): Promise<readonly TableId[]> {
  const result = await connection.run({
    text: `select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_toast'
        and (${KIND}) = any($1::text[]) and ($2::text is null or n.nspname like $2)
        and ($3::text is null or current_database() like $3)
      order by 1, 2`,
    values: [arrayLiteral(filter.types), filter.schemaPattern, filter.catalogPattern],
  })
  return result.rows.map((row) => ({ schema: row[0] as string, name: row[1] as string }))
}

/** Finds a table, in the search path when no schema is given, and its columns in order. */
export async function describeTable(connection: SqlConnection, table: TableId): Promise<TableDescription | null> {
  const found = await connection.run({
    text: `select c.oid, n.nspname, c.relname, ${KIND}
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f')
        and case when $2::text is null then n.nspname = any(current_schemas(true)) else n.nspname = $2 end
      order by array_position(current_schemas(true), n.nspname) nulls last limit 1`,
    values: [table.name, table.schema ?? null],
  })
  const row = found.rows[0]
  if (row === undefined) return null
  const columns = await connection.run({
    text: `select a.attname, format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), -1), coalesce(b.typcategory, t.typcategory) = 'A',
        not (a.attnotnull or (t.typtype = 'd' and t.typnotnull)), coalesce(i.indisprimary, false),
        a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid), '') like 'nextval(%',
        a.atthasdef or a.attidentity <> '', coalesce(nullif(t.typbasetype, 0), a.atttypid) in (20, 21, 23)
          or (a.atttypid = 1700 and a.atttypmod >= 4 and (a.atttypmod - 4) & 2047 = 0)
      from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_type b on b.oid = t.typbasetype
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        left join pg_index i on i.indrelid = a.attrelid and i.indisprimary and a.attnum = any(i.indkey)
      where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    values: [row[0] as string],
  })
  const kind = row[3] as string
  return {
    table: { schema: row[1] as string, name: row[2] as string },
    kind: kind === 'TABLE' || kind === 'PARTITIONED TABLE' || kind === 'VIEW' ? kind : 'OTHER',
    columns: columns.rows.map(
      (column): ColumnDescription => ({
        name: column[0] as string,
        type: column[1] as string,
        temporal: /^(timestamp|date)/.test(column[1] as string),
        isArray: column[2] === 't',
        nullable: column[3] === 't',
        primaryKey: column[4] === 't',
        autoIncrement: column[5] === 't',
        hasDefault: column[6] === 't',
        integral: column[7] === 't',
      }),
    ),
  }
}

/** Asks the catalogue what the wire protocol does not say of result columns: nullability and kind of type. */
export async function columnFacts(
  connection: SqlConnection,
  columns: readonly PostgresColumn[],
): Promise<readonly ColumnFacts[]> {
  const result = await connection.run({
    text: `select coalesce(not (a.attnotnull or (d.typtype = 'd' and d.typnotnull)), true), t.typtype, t.typname, t.typcategory
      from unnest($1::oid[], $2::int2[], $3::oid[]) with ordinality as q(rel, att, typ, place)
        left join pg_attribute a on a.attrelid = q.rel and a.attnum = q.att and q.rel <> 0
        left join pg_type d on d.oid = a.atttypid left join pg_type t on t.oid = q.typ
      order by q.place`,
    values: [
      arrayLiteral(columns.map((column) => String(column.tableId))),
      arrayLiteral(columns.map((column) => String(column.columnNumber))),
      arrayLiteral(columns.map((column) => String(column.typeId))),
    ],
  })
  return result.rows.map((row) => ({
    nullable: row[0] === 't',
    typeKind: row[3] === 'A' ? 'A' : (row[1] ?? 'b'),
    typeName: row[2] ?? 'unknown',
  }))
}

/** `{"a","b"}`: an array as Postgres reads it. */
export function arrayLiteral(values: readonly (string | null)[]): string {
  const parts = values.map((value) =>
    value === null ? 'NULL' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  )
  return `{${parts.join(',')}}`
}

/** Why the user cannot create a table in the schema, with the SQL that helps. */
export async function createProblem(
  connection: SqlConnection,
  schema: string | undefined,
): Promise<string | undefined> {
  const { rows } = await connection.run({
    text: `select s.name, n.oid is not null, coalesce(has_schema_privilege(n.oid, 'CREATE'), false), current_user
      from (select coalesce($1::text, current_schema()::text, 'public') as name) s left join pg_namespace n on n.nspname = s.name`,
    values: [schema ?? null],
  })
  const [name, exists, allowed, user] = rows[0] as readonly string[]
  if (exists !== 't') return `there is no schema ${name}: CREATE SCHEMA ${quoteAlways(name as string)}`
  if (allowed === 't') return undefined
  return (
    `the user ${user} may not create tables there: GRANT CREATE ON SCHEMA ` +
    `${quoteAlways(name as string)} TO ${quoteAlways(user as string)}`
  )
}

/** Which of the rights on the table the user lacks, with the SQL that helps. */
export async function privilegeProblem(
  connection: SqlConnection,
  table: TableId,
  privileges: readonly string[],
): Promise<string | undefined> {
  const { rows } = await connection.run({
    text:
      'select p.name, current_user from unnest($1::text[]) as p(name) where not ' +
      'has_table_privilege($2::text::regclass, p.name)',
    values: [arrayLiteral(privileges), quotedName(table)],
  })
  if (rows.length === 0) return undefined
  const lacking = rows.map(([name]) => name).join(', ')
  const user = rows[0]?.[1] as string
  return (
    `the user ${user} has no right to ${lacking} on ${plainName(table)}: GRANT ${lacking} ON ` +
    `${quotedName(table)} TO ${quoteAlways(user)}`
  )
}
