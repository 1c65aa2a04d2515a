import { ConnectError } from '@millrace/sdk'
import {
  type PostgresConnection,
  PostgresError,
  quoteIdentifier,
  quoteLiteral,
} from '../_shared/postgres-wire/index.ts'
import { formatLsn, type Lsn, parseLsn } from './lsn.ts'

/** What pg_replication_slots says of a slot. */
export interface SlotState {
  readonly plugin: string
  readonly slotType: string
  readonly database: string
  readonly activePid: number | undefined
  /** The client that uses it, for messages. */
  readonly activeClient: string | undefined
  readonly activeApplication: string | undefined
  readonly confirmedLsn: Lsn | undefined
  /** reserved, extended, unreserved or lost. */
  readonly walStatus: string
}

export async function readSlot(connection: PostgresConnection, name: string): Promise<SlotState | undefined> {
  const [row] = await connection.rows(
    `select s.plugin, s.slot_type, s.database, s.active_pid, host(a.client_addr) as client,
       a.application_name as application, s.confirmed_flush_lsn,
       s.wal_status
     from pg_replication_slots s left join pg_stat_activity a on a.pid = s.active_pid
     where s.slot_name = $1`,
    [name],
  )
  if (row === undefined) return undefined
  const confirmed = row['confirmed_flush_lsn']
  return {
    plugin: row['plugin'] ?? '',
    slotType: row['slot_type'] ?? '',
    database: row['database'] ?? '',
    activePid: row['active_pid'] ? Number(row['active_pid']) : undefined,
    activeClient: row['client'] ?? undefined,
    activeApplication: row['application'] ?? undefined,
    confirmedLsn: confirmed ? parseLsn(confirmed) : undefined,
    walStatus: row['wal_status'] ?? '',
  }
}

/** A slot just made, and the snapshot of exactly its starting point. */
export interface CreatedSlot {
  readonly consistentLsn: Lsn
  readonly snapshotName: string
}

/**
 * Creates a logical slot on a replication connection. Its exported snapshot lives until the connection runs the
 * next command.
 */
export async function createSlot(
  connection: PostgresConnection,
  name: string,
  options: { temporary: boolean; failover: boolean },
): Promise<CreatedSlot> {
  const temporary = options.temporary ? ' TEMPORARY' : ''
  const failover = options.failover && connection.serverVersion >= 17 ? ' (FAILOVER)' : ''
  const [row] = await connection.rows(
    `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)}${temporary} LOGICAL pgoutput${failover}`,
  )
  return { consistentLsn: parseLsn(row?.['consistent_point'] ?? ''), snapshotName: row?.['snapshot_name'] ?? '' }
}

export async function dropSlot(connection: PostgresConnection, name: string): Promise<void> {
  await connection.query(
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${quoteLiteral(name)}`,
  )
}

const OBJECT_IN_USE = '55006'

/** True when the slot is used by another connection. */
export const isSlotInUse = (error: unknown): boolean =>
  error instanceof PostgresError && error.sqlstate === OBJECT_IN_USE

/** Says who uses a slot and how to free it. */
export function slotInUseError(name: string, state: SlotState | undefined): ConnectError {
  const { activePid: pid, activeClient: client } = state ?? {}
  const by = pid === undefined ? 'another connection' : `PID ${pid}${client ? ` from ${client}` : ''}`
  const fix = pid === undefined ? '' : `, or end that connection: SELECT pg_terminate_backend(${pid})`
  return new ConnectError(
    `replication slot "${name}" is active for ${by}. Each connector needs a slot of its own: set "slot.name"${fix}`,
  )
}

/** The slot cannot give what comes after the stored offset. */
export function slotGapError(name: string, offset: Lsn, state: SlotState | undefined): ConnectError {
  const at = formatLsn(offset)
  const fix =
    'Set "snapshot.mode" to "when_needed" to take a new snapshot, or delete the connector\'s offsets to start over'
  if (state === undefined) {
    return new ConnectError(
      `replication slot "${name}" does not exist, but the stored offset is ${at}: changes since then are no ` +
        `longer available on the server. ${fix}`,
    )
  }
  if (state.walStatus === 'lost') {
    return new ConnectError(
      `replication slot "${name}" lost the WAL behind the stored offset ${at} (wal_status is "lost"; see ` +
        `max_slot_wal_keep_size). ${fix}`,
    )
  }
  return new ConnectError(
    `replication slot "${name}" was confirmed up to ${formatLsn(state.confirmedLsn ?? 0)}, behind the stored ` +
      `offset ${at}: changes between them are no longer available on the server. ${fix}; or set ` +
      '"offset.mismatch.strategy" to "trust_slot" to go on without them',
  )
}
