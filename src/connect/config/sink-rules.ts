import { fullMatch, type RawConfig } from '@millrace/sdk'
import type { ConfigReport } from './config-report.ts'
import { aliasesOf } from './connector-config.ts'

/** Rules of sinks beyond single keys: where records come from, the dead letter queue, the consumer group. */
export function validateSinkRules(report: ConfigReport, raw: RawConfig, workerGroupId: string | null): void {
  const topics = aliasesOf(raw, 'topics')
  const regex = raw['topics.regex']?.trim() ?? ''
  if (topics.length > 0 && regex !== '') {
    addToBoth(report, 'topics and topics.regex are mutually exclusive options, but both are set.')
  }
  if (topics.length === 0 && regex === '') addToBoth(report, 'Must configure one of topics or topics.regex')
  validateDeadLetterQueue(report, raw, topics, regex)
  if (workerGroupId !== null) validateGroup(report, raw, workerGroupId)
}

function addToBoth(report: ConfigReport, message: string): void {
  report.addError('topics', message)
  report.addError('topics.regex', message)
}

/** A sink that reads its own dead letter queue would go round in circles. */
function validateDeadLetterQueue(report: ConfigReport, raw: RawConfig, topics: readonly string[], regex: string): void {
  const queue = raw['errors.deadletterqueue.topic.name']?.trim() ?? ''
  if (queue === '') return
  if (topics.includes(queue)) {
    const list = `topics=[${topics.join(', ')}]`
    report.addError(
      'topics',
      `The DLQ topic '${queue}' may not be included in the list of topics ('${list}') consumed by the connector`,
    )
  }
  if (regex !== '' && !report.hasErrors(['topics.regex']) && fullMatch(regex)(queue)) {
    report.addError(
      'topics.regex',
      `The DLQ topic '${queue}' may not be matched by the regex for the topics ('topics.regex=${regex}') consumed by the connector`,
    )
  }
}

function validateGroup(report: ConfigReport, raw: RawConfig, workerGroupId: string): void {
  const override = raw['consumer.override.group.id']?.trim()
  if (override !== undefined) {
    if (override === workerGroupId) {
      report.addError(
        'consumer.override.group.id',
        `Consumer group ${override} conflicts with Connect worker group ${workerGroupId}`,
      )
    }
    return
  }
  const name = raw['name']?.trim() ?? ''
  if (`connect-${name}` !== workerGroupId) return
  report.addError(
    'name',
    `Consumer group for sink connector named ${name} conflicts with Connect worker group ${workerGroupId}`,
  )
}
