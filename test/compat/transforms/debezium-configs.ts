import type { Generator } from './generate.ts'
import type { Case } from './harness.ts'

/** Options and change events by chance for each transformation of Debezium, by class name. */
export const debeziumConfigs: Readonly<
  Record<string, (g: Generator, records: number) => Pick<Case, 'options' | 'records'>>
> = {}
