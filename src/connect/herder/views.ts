import type { RawConfig } from '@millrace/sdk'
import { HerderError } from './errors.ts'
import type { ConfigState, RestartRequest } from './config-state.ts'
import type { ConnectorState, ConnectorStateInfo, ConnectorType, TaskIdInfo, TaskState } from './herder.ts'
import type { Status, StatusState } from './status-state.ts'
import { parseTaskKey } from './work.ts'

/** The ids of a connector's tasks as REST shows them. */
export function taskIds(config: ConfigState, name: string): readonly TaskIdInfo[] {
  return config.tasks(name).map(parseTaskKey)
}

/** The configuration of a connector, or the 404 that Kafka answers. */
export function requireConfig(config: ConfigState, name: string): RawConfig {
  const found = config.config(name)
  if (!found) throw new HerderError('NOT_FOUND', `Connector ${name} not found`)
  return found
}

function connectorState(status: Status): ConnectorState {
  return {
    state: status.state,
    worker_id: status.workerId,
    version: status.version,
    ...(status.trace ? { trace: status.trace } : {}),
    ...(status.restart
      ? { restart_attempts: status.restart.attempts, next_restart_at: status.restart.nextAttemptAtMs }
      : {}),
  }
}

function taskState(task: number, status: Status): TaskState {
  return { id: task, ...connectorState(status), ...(status.finished ? { finished: true } : {}) }
}

/** The status of one task, or the 404 that Kafka answers. */
export function viewTaskStatus(config: ConfigState, statuses: StatusState, name: string, task: number): TaskState {
  const key = `${name}-${task}`
  const status = config.tasks(name).includes(key) ? statuses.get('tasks', key) : undefined
  if (!status) throw new HerderError('NOT_FOUND', `No status found for task ${key}`)
  return taskState(task, status)
}

/** The status of a connector and its tasks; tasks that have not reported yet are left out, as in Kafka. */
export function viewStatus(
  config: ConfigState,
  statuses: StatusState,
  name: string,
  type: ConnectorType,
): ConnectorStateInfo {
  const status = config.has(name) ? statuses.get('connectors', name) : undefined
  if (!status) throw new HerderError('NOT_FOUND', `No status found for connector ${name}`)
  const tasks = config.tasks(name).flatMap((key) => {
    const found = statuses.get('tasks', key)
    return found ? [taskState(parseTaskKey(key).task, found)] : []
  })
  return { name, connector: connectorState(status), tasks, type }
}

/** What a restart request touches, decided from the statuses at the time it is carried out (KIP-745). */
export interface RestartPlan {
  readonly connector: boolean
  readonly tasks: readonly string[]
}

/** Plans a restart; null when the connector has no status yet and so nothing that could be restarted. */
export function planRestart(config: ConfigState, statuses: StatusState, request: RestartRequest): RestartPlan | null {
  const status = config.has(request.connector) ? statuses.get('connectors', request.connector) : undefined
  if (!status) return null
  const wanted = (found: Status | undefined) => found !== undefined && (!request.onlyFailed || found.state === 'FAILED')
  return {
    connector: wanted(status),
    tasks: request.includeTasks
      ? config.tasks(request.connector).filter((key) => wanted(statuses.get('tasks', key)))
      : [],
  }
}

/** The answer to a restart: everything that is planned shows RESTARTING. */
export function viewRestart(info: ConnectorStateInfo, plan: RestartPlan): ConnectorStateInfo {
  const planned = new Set(plan.tasks)
  return {
    ...info,
    connector: plan.connector ? { ...info.connector, state: 'RESTARTING' } : info.connector,
    tasks: info.tasks.map((task) => (planned.has(`${info.name}-${task.id}`) ? { ...task, state: 'RESTARTING' } : task)),
  }
}
