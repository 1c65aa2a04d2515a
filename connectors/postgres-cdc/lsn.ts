import { protocolError } from '../_shared/postgres-wire/index.ts'

const HIGH = 0x1_0000_0000

/** A position in the WAL. A number is enough: 2^53 bytes of WAL are nine petabytes. */
export type Lsn = number

/** Reads `16/B374D848`. Throws RangeError on anything else. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (match === null) throw new RangeError(`not a WAL position: "${text}"`)
  return Number.parseInt(match[1] as string, 16) * HIGH + Number.parseInt(match[2] as string, 16)
}

/** `16/B374D848`. */
export function formatLsn(lsn: Lsn): string {
  return `${Math.floor(lsn / HIGH).toString(16)}/${(lsn % HIGH).toString(16)}`.toUpperCase()
}

/** Reads the 64 bits of a position. */
export function readLsn(buffer: Buffer, position: number): Lsn {
  const high = buffer.readUInt32BE(position)
  if (high > 0x1fffff) throw protocolError('WAL position beyond 2^53')
  return high * HIGH + buffer.readUInt32BE(position + 4)
}

export function writeLsn(buffer: Buffer, lsn: Lsn, position: number): void {
  buffer.writeUInt32BE(Math.floor(lsn / HIGH), position)
  buffer.writeUInt32BE(lsn % HIGH, position + 4)
}

const POSTGRES_EPOCH_MICROS = 946_684_800_000_000

/** Reads a time (microseconds since 2000-01-01) as microseconds since 1970-01-01. */
export function readTimestamp(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * HIGH + buffer.readUInt32BE(position + 4) + POSTGRES_EPOCH_MICROS
}

export function writeTimestamp(buffer: Buffer, epochMicros: number, position: number): void {
  const micros = epochMicros - POSTGRES_EPOCH_MICROS
  buffer.writeInt32BE(Math.floor(micros / HIGH), position)
  buffer.writeUInt32BE(micros - Math.floor(micros / HIGH) * HIGH, position + 4)
}
