import type { RawConfig } from '@millrace/sdk'
import type { TargetState } from '../worker/worker.ts'
import type { RestartRequest, SessionKey } from './config-state.ts'

/** A record to write to a compacted topic; null is a tombstone. */
export interface RecordToWrite {
  readonly key: string
  readonly value: Buffer | null
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** The record of a connector's configuration. */
export function connectorRecord(name: string, config: RawConfig): RecordToWrite {
  return { key: `connector-${name}`, value: json({ properties: config }) }
}

/** The records that delete a connector: its target state must not survive it. */
export function deletionRecords(name: string): readonly RecordToWrite[] {
  return [
    { key: `connector-${name}`, value: null },
    { key: `target-state-${name}`, value: null },
  ]
}

/** Invariant 7: the commit record comes last, and nothing of the tasks counts before it. */
export function taskRecords(name: string, configs: readonly RawConfig[]): readonly RecordToWrite[] {
  return [
    ...configs.map((config, i) => ({ key: `task-${name}-${i}`, value: json({ properties: config }) })),
    { key: `commit-${name}`, value: json({ tasks: configs.length }) },
  ]
}

/** Workers before KIP-875 know no STOPPED: for them `state` says PAUSED, which is the safe reading. */
export function targetStateRecord(name: string, target: TargetState): RecordToWrite {
  const state = target === 'STOPPED' ? 'PAUSED' : target
  return { key: `target-state-${name}`, value: json({ state, 'state.v2': target }) }
}

export function restartRecord(request: RestartRequest): RecordToWrite {
  return {
    key: `restart-connector-${request.connector}`,
    value: json({ 'include-tasks': request.includeTasks, 'only-failed': request.onlyFailed }),
  }
}

export function sessionKeyRecord(key: SessionKey): RecordToWrite {
  return {
    key: 'session-key',
    value: json({ key: key.key, algorithm: key.algorithm, 'creation-timestamp': key.createdMs }),
  }
}

/** How many transactional producers a generation of tasks may have left behind (exactly once). */
export function fencingRecord(name: string, taskCount: number): RecordToWrite {
  return { key: `tasks-fencing-${name}`, value: json({ 'task-count': taskCount }) }
}

export function loggerRecord(namespace: string, level: string): RecordToWrite {
  return { key: `logger-cluster-${namespace}`, value: json({ level }) }
}
