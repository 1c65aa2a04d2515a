import type { ConfigIssue } from '@millrace/sdk'
import { type PostgresConnection, quoteIdentifier } from '../_shared/postgres-wire/index.ts'
import type { TableName } from './catalogue.ts'
import type { Config } from './config.ts'
import { planPublication, qualified, readPublication } from './publication.ts'
import { readSlot } from './slot.ts'

const VERSION_MIN = 13

/** What was found before anything is changed: problems stop the connector, warnings are logged. */
export interface Preflight {
  readonly issues: readonly ConfigIssue[]
  readonly warnings: readonly string[]
}

type Row = Readonly<Record<string, string | null>>

const FACTS = `
select current_setting('server_version_num')::int / 10000 as version, current_setting('wal_level') as wal_level,
  current_setting('max_replication_slots')::int as slots_max, current_setting('max_wal_senders')::int as senders_max,
  (select count(*) from pg_replication_slots) as slots, current_user as "user",
  (select rolsuper or rolreplication or exists (select 1 from pg_roles r where r.rolname = 'rds_replication'
     and pg_has_role(current_user, r.oid, 'member')) from pg_roles where rolname = current_user) as replicates,
  (select rolsuper from pg_roles where rolname = current_user) as superuser,
  has_database_privilege(current_database(), 'CREATE') as creates, pg_is_in_recovery() as standby`

/** Looks at everything that a start needs, with the SQL that mends what is wrong. */
export async function preflight(
  connection: PostgresConnection,
  config: Config,
  captured: readonly TableName[],
): Promise<Preflight> {
  const [facts] = await connection.rows(FACTS)
  const streams = config['snapshot.mode'] !== 'initial_only'
  const issues: ConfigIssue[] = []
  const warnings: string[] = []
  const add = (key: string, message: string): void => {
    issues.push({ key, message })
  }
  const version = Number(facts?.['version'])
  if (version < VERSION_MIN)
    add('database.hostname', `Postgres ${version} is too old: ${VERSION_MIN} or later is needed`)
  if (facts !== undefined && streams) serverIssues(facts, config, add)
  if (issues.length === 0 && streams) {
    await publicationIssues(connection, config, facts ?? {}, captured, add)
    await slotIssues(connection, config, facts ?? {}, add)
  }
  await privilegeIssues(connection, captured, facts ?? {}, add)
  if (captured.length === 0) warnings.push('no table matches the filters; only tables made later can be captured')
  for (const table of captured) {
    if (table.kind !== 'p' || config['publish.via.partition.root']) continue
    const name = qualified(table.schema, table.table)
    warnings.push(
      `${name} is partitioned: its changes come as those of its partitions; set "publish.via.partition.root"`,
    )
  }
  if (streams) warnings.push(...(await replicaIdentityWarnings(connection, captured)))
  return { issues, warnings }
}

type Add = (key: string, message: string) => void

function serverIssues(facts: Row, config: Config, add: Add): void {
  const user = quoteIdentifier(facts['user'] ?? config['database.user'])
  if (facts['wal_level'] !== 'logical') {
    add(
      'database.hostname',
      `wal_level is "${facts['wal_level']}", but change data capture needs "logical". Run: ALTER SYSTEM SET ` +
        `wal_level = 'logical'; then restart Postgres`,
    )
  }
  if (facts['replicates'] !== 't') {
    add('database.user', `user ${user} may not replicate. Run as superuser: ALTER ROLE ${user} REPLICATION;`)
  }
  if (facts['senders_max'] === '0') {
    add('database.hostname', 'max_wal_senders is 0. Run: ALTER SYSTEM SET max_wal_senders = 10; then restart Postgres')
  }
}

async function publicationIssues(
  connection: PostgresConnection,
  config: Config,
  facts: Row,
  captured: readonly TableName[],
  add: Add,
): Promise<void> {
  const state = await readPublication(connection, config['publication.name'])
  const plan = planPublication(
    config,
    state,
    captured.map((table) => qualified(table.schema, table.table)),
  )
  if (plan.problem !== undefined) add('publication.autocreate.mode', plan.problem)
  if (plan.sql === undefined || facts['superuser'] === 't') return
  const user = quoteIdentifier(facts['user'] ?? '')
  if (plan.sql.includes('FOR ALL TABLES')) {
    add(
      'publication.autocreate.mode',
      `only a superuser may create a publication for all tables, and ${user} is none. Run as superuser: ` +
        `${plan.sql}; or set "publication.autocreate.mode" to "filtered"`,
    )
  } else if (facts['creates'] !== 't' && state === undefined) {
    const database = quoteIdentifier(config['database.dbname'])
    add(
      'publication.autocreate.mode',
      `user ${user} may not create a publication. Run: GRANT CREATE ON DATABASE ${database} TO ${user}; or ` +
        `create it: ${plan.sql}`,
    )
  }
}

async function slotIssues(connection: PostgresConnection, config: Config, facts: Row, add: Add): Promise<void> {
  const name = config['slot.name']
  const slot = await readSlot(connection, name)
  if (slot === undefined) {
    if (Number(facts['slots']) >= Number(facts['slots_max'])) {
      add(
        'slot.name',
        `all ${facts['slots_max']} replication slots are taken. Drop one (SELECT ` +
          `pg_drop_replication_slot('...')), or run: ALTER SYSTEM SET max_replication_slots = ` +
          `${Number(facts['slots_max']) + 10}; and restart Postgres`,
      )
    }
    return
  }
  if (slot.slotType !== 'logical' || slot.plugin !== 'pgoutput') {
    add(
      'slot.name',
      `slot "${name}" is a ${slot.slotType} slot with plug-in "${slot.plugin}", but a logical one with ` +
        `pgoutput is needed. Set another "slot.name", or run: SELECT pg_drop_replication_slot('${name}');`,
    )
  } else if (slot.database !== config['database.dbname']) {
    add('slot.name', `slot "${name}" belongs to database "${slot.database}". Set another "slot.name"`)
  } else if (slot.activePid !== undefined && slot.activeApplication !== 'millrace-postgres-cdc') {
    const client = slot.activeClient === undefined ? '' : ` from ${slot.activeClient}`
    add(
      'slot.name',
      `slot "${name}" is active for PID ${slot.activePid}${client}. Set another "slot.name", or run: SELECT ` +
        `pg_terminate_backend(${slot.activePid});`,
    )
  }
}

async function privilegeIssues(
  connection: PostgresConnection,
  captured: readonly TableName[],
  facts: Row,
  add: Add,
): Promise<void> {
  if (captured.length === 0) return
  const user = quoteIdentifier(facts['user'] ?? '')
  const rows = await connection.rows(
    `select n.nspname as schema, c.relname as table, has_schema_privilege(n.oid, 'USAGE') as usage,
       has_any_column_privilege(c.oid, 'SELECT') as selects
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid in (${captured.map((table) => table.oid).join(', ')}) order by 1, 2`,
  )
  const schemas = [...new Set(rows.filter((row) => row['usage'] !== 't').map((row) => row['schema'] ?? ''))]
  const tables = rows.filter((row) => row['selects'] !== 't')
  if (schemas.length > 0) {
    const list = schemas.map(quoteIdentifier).join(', ')
    add('database.user', `user ${user} may not use schema ${list}. Run: GRANT USAGE ON SCHEMA ${list} TO ${user};`)
  }
  if (tables.length > 0) {
    const list = tables.map((row) => qualified(row['schema'] ?? '', row['table'] ?? '')).join(', ')
    add('database.user', `user ${user} may not read ${list}. Run: GRANT SELECT ON ${list} TO ${user};`)
  }
}

/** Tables whose updates and deletes the server refuses once they are published, or whose old key is not sent. */
async function replicaIdentityWarnings(
  connection: PostgresConnection,
  captured: readonly TableName[],
): Promise<string[]> {
  const tables = captured.filter((table) => table.kind === 'r')
  if (tables.length === 0) return []
  const rows = await connection.rows(
    `select n.nspname as schema, c.relname as table, c.relreplident as identity,
       exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary) as has_key
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid in (${tables.map((table) => table.oid).join(', ')}) order by 1, 2`,
  )
  return rows.flatMap((row) => {
    const name = qualified(row['schema'] ?? '', row['table'] ?? '')
    const full = `ALTER TABLE ${name} REPLICA IDENTITY FULL;`
    if (row['identity'] === 'n')
      return [`${name} has replica identity "nothing": its updates and deletes fail once it is published. Run: ${full}`]
    if (row['identity'] === 'd' && row['has_key'] !== 't') {
      return [`${name} has no primary key: its updates and deletes fail once it is published. Run: ${full}`]
    }
    if (row['identity'] === 'i') {
      return [`${name} has an index as replica identity: deletes carry its columns only. Run for whole rows: ${full}`]
    }
    return []
  })
}
