import type { RawConfig } from '@millrace/sdk'
import type { SinkConnectorConfig, SourceConnectorConfig } from '../config/connector-config.ts'
import { ErrorOperator, type ErrorReporter } from './error-operator.ts'
import { createLogReporter } from './log-reporter.ts'
import type { TaskCounters } from './task-metrics.ts'
import type { UnitEnvironment, UnitEvents } from './unit-runner.ts'
import type { TargetState, TaskId } from './worker.ts'

/** What a task is made of. */
export interface TaskSetup {
  readonly id: TaskId
  readonly connectorConfig: RawConfig
  readonly taskConfig: RawConfig
  readonly target: TargetState
  readonly environment: UnitEnvironment
  readonly events: UnitEvents
}

/** The operator of a task with the reporters its configuration asks for. */
export function createErrorOperator(
  { id, environment }: TaskSetup,
  framework: SourceConnectorConfig | SinkConnectorConfig,
  { counters, signal }: { readonly counters: TaskCounters; readonly signal: AbortSignal },
  deadLetterQueue: ErrorReporter | null,
): ErrorOperator {
  const { clock, random, logger } = environment
  const reporters: ErrorReporter[] = deadLetterQueue === null ? [] : [deadLetterQueue]
  if (framework['errors.log.enable']) {
    const taskName = `${id.connector}-${id.task}`
    const includeMessages = framework['errors.log.include.messages']
    reporters.push(createLogReporter({ taskName, includeMessages, logger, counters: counters.error }))
  }
  return new ErrorOperator({
    settings: {
      retryTimeoutMs: framework['errors.retry.timeout'],
      retryDelayMaxMs: framework['errors.retry.delay.max.ms'],
      tolerance: framework['errors.tolerance'],
    },
    reporters,
    counters: counters.error,
    clock,
    random,
    signal,
  })
}
