// What several databases have in common.
import { ConfigError } from '@millrace/sdk'
import type { Dialect } from './dialect.ts'

/** A query as a table to select from. */
export function wrapQuery(query: string): string {
  // The line break ends a comment that the query may end with.
  return `(${query.replace(/;\s*$/, '')}\n) as millrace_query`
}

/** Of a database that does not tell since when its transactions are open. */
export const untoldTransactions: Pick<Dialect, 'oldestTransaction' | 'transactionsProblem'> = {
  oldestTransaction: async () => undefined,
  transactionsProblem: async () =>
    'belongs to PostgreSQL; set timestamp.delay.interval.ms above the longest transaction that writes these tables',
}

/** Finds what a database calls the isolation levels that all but SQL Server have. */
export function isolationLevels(
  database: string,
  levels: Readonly<Record<string, string | undefined>>,
): Dialect['isolationLevel'] {
  return (mode) => {
    if (mode in levels) return levels[mode]
    throw new ConfigError(`transaction.isolation.mode: ${mode} belongs to SQL Server; ${database} has none like it`, {
      key: 'transaction.isolation.mode',
    })
  }
}
