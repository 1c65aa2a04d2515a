import type { Comparison } from './shop.ts'

export interface Summary {
  readonly changes: number
  readonly events: number
  readonly copies: readonly Comparison[]
  readonly drivers: number
}

/** Whether every change is in the topics and the copies are what the tables are. */
export function agrees({ changes, events, copies }: Summary): boolean {
  return changes === events && copies.every((copy) => copy.same && copy.rows === copy.copied)
}

export function summaryText(summary: Summary): string {
  const copies = summary.copies.map(
    ({ table, rows, copied, same }) =>
      `  ${table.padEnd(12)} ${String(rows).padStart(7)} rows, ${String(copied).padStart(7)} in the copy, contents ${same ? 'equal' : 'DIFFER'}`,
  )
  return `
Summary
  changes made in the tables    ${summary.changes}
  events in the topics          ${summary.events}
${copies.join('\n')}
  records in topic driver       ${summary.drivers}
${agrees(summary) ? 'The counts agree.' : 'The counts DIFFER.'}
`
}
