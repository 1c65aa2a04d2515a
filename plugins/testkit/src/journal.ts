import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { SourceOffset, SourcePartition } from '@millrace/sdk'

/** What happened in a life, written before anything else could happen. */
export type JournalLine =
  /** A record came; null where it carries no event. */
  | { readonly polled: string | null; readonly partition: string }
  /** The log took the next record or position, and its offset was committed. */
  | { readonly acknowledged: string | null; readonly of: SourcePartition; readonly offset: SourceOffset }
  /** The group of a sink has committed an offset. */
  | { readonly partition: number; readonly committed: number }
  /** The life went to its end, over so many await points. */
  | { readonly over: number }
  | { readonly failed: string }

const BIGINT = '$bigint'

export function writeLine(file: string, line: JournalLine): void {
  const text = JSON.stringify(line, (_, value: unknown) =>
    typeof value === 'bigint' ? { [BIGINT]: String(value) } : value,
  )
  appendFileSync(file, `${text}\n`)
}

export function readJournal(file: string): readonly JournalLine[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line, revive) as JournalLine)
}

function revive(_: string, value: unknown): unknown {
  const isBig = typeof value === 'object' && value !== null && BIGINT in value
  return isBig ? BigInt(String(value[BIGINT])) : value
}
