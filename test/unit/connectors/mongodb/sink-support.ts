import { parseConfigOrThrow, type SinkRecord } from '@millrace/sdk'
import { sinkConfig } from '../../../../connectors/mongodb/sink-config.ts'
import { TopicPlans } from '../../../../connectors/mongodb/topic-plan.ts'
import type { Operation } from '../../../../connectors/mongodb/write-models.ts'
import { recordAt } from '../../../integration/support/task-contract.ts'

export const NOW_MS = Date.UTC(2026, 0, 2)

/** The write models, ids and processors of a configuration at work. */
export function plansOf(settings: Readonly<Record<string, string>>): TopicPlans {
  const raw = { database: 'shop', ...settings }
  return new TopicPlans(raw, parseConfigOrThrow(sinkConfig, raw), () => NOW_MS)
}

/** The write of a record of the topic `orders`. */
export function operationOf(
  settings: Readonly<Record<string, string>>,
  record: Partial<SinkRecord>,
  offset = 7,
): Operation | null {
  return plansOf(settings).plan(recordAt('orders', offset, record))?.operation ?? null
}
