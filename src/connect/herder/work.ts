import type { TaskId } from '../worker/worker.ts'

/** Connectors and tasks as two sets of text keys; a task's key is `<connector>-<task>` with the task number last. */
export interface Work {
  readonly connectors: ReadonlySet<string>
  readonly tasks: ReadonlySet<string>
}

export type WorkKind = keyof Work

export const workKinds: readonly WorkKind[] = ['connectors', 'tasks']

export const emptyWork: Work = { connectors: new Set(), tasks: new Set() }

/** The text form of a task id, as Kafka writes it: `src-0`. */
export function taskKey(id: TaskId): string {
  return `${id.connector}-${id.task}`
}

/** The reverse of taskKey; the number is what follows the last dash. */
export function parseTaskKey(key: string): TaskId {
  const dash = key.lastIndexOf('-')
  return { connector: key.slice(0, dash), task: Number(key.slice(dash + 1)) }
}

export function isEmptyWork(work: Work): boolean {
  return work.connectors.size === 0 && work.tasks.size === 0
}

/** The part of the work for which the condition holds. */
export function filterWork(work: Work, condition: (kind: WorkKind, key: string) => boolean): Work {
  return {
    connectors: new Set([...work.connectors].filter((key) => condition('connectors', key))),
    tasks: new Set([...work.tasks].filter((key) => condition('tasks', key))),
  }
}

/** What is in `work` and in none of `others`. */
export function minus(work: Work, ...others: readonly Work[]): Work {
  return filterWork(work, (kind, key) => !others.some((other) => other[kind].has(key)))
}

export function union(...works: readonly Work[]): Work {
  return {
    connectors: new Set(works.flatMap((work) => [...work.connectors])),
    tasks: new Set(works.flatMap((work) => [...work.tasks])),
  }
}

/** What is in both. */
export function intersection(left: Work, right: Work): Work {
  return filterWork(left, (kind, key) => right[kind].has(key))
}
