import {
  labelsText,
  lackingLabels,
  type Labels,
  noLabels,
  REQUIRED_LABELS,
  WORKER_LABELS,
} from '../config/worker-labels.ts'
import { filterWork, parseTaskKey, type Work, type WorkKind } from './work.ts'

/** The labels that a worker must have to run connectors, and the tasks of connectors, by connector. */
export type Requirements = Readonly<Record<WorkKind, ReadonlyMap<string, Labels>>>

/** Where work may run. */
export interface Placement {
  readonly required: Requirements
  /** By member. */
  readonly labels: ReadonlyMap<string, Labels>
}

/** The connector that a piece of work belongs to. */
export function connectorOf(kind: WorkKind, key: string): string {
  return kind === 'connectors' ? key : parseTaskKey(key).connector
}

/** The labels that a piece of work needs. */
export function requiredLabels(required: Requirements, kind: WorkKind, key: string): Labels {
  return required[kind].get(connectorOf(kind, key)) ?? noLabels
}

/** Whether a member has all the labels that are required. */
export function isAllowed(placement: Placement, member: string, required: Labels): boolean {
  return required.size === 0 || lackingLabels(required, placement.labels.get(member) ?? noLabels).length === 0
}

/** What of a member's work the member lacks labels for. */
export function forbiddenWork(placement: Placement, member: string, work: Work): Work {
  return filterWork(work, (kind, key) => !isAllowed(placement, member, requiredLabels(placement.required, kind, key)))
}

/** What no member may run. */
export function homelessWork(placement: Placement, members: Iterable<string>, work: Work): Work {
  const all = [...members]
  return filterWork(work, (kind, key) => {
    const required = requiredLabels(placement.required, kind, key)
    return !all.some((member) => isAllowed(placement, member, required))
  })
}

/** Why something of a connector with these labels waits that no worker of the group may run, for its status. */
export function waitingText(required: Labels, workers: readonly Labels[]): string {
  const fits = (labels: Labels) => lackingLabels(required, labels).length === 0
  if (workers.some(fits)) {
    return `Waits for new task configurations of its connector, because ${REQUIRED_LABELS} has changed.`
  }
  const nobodyHas = [...required].toSorted().filter((label) => !workers.some((labels) => labels.has(label)))
  const missing = nobodyHas.length > 0 ? nobodyHas.join(' or ') : 'all of them'
  return (
    `Waits for a worker with the labels ${labelsText(required)} (${REQUIRED_LABELS}): no worker of the group has ` +
    `${missing}. Start one with ${WORKER_LABELS}=${labelsText(required)}.`
  )
}

/** Why work that was given to a worker does not run there, for its status. */
export function forbiddenText(lacking: readonly string[]): string {
  return (
    `Was given to this worker, which lacks the labels ${labelsText(lacking)} (${REQUIRED_LABELS}), and waits for the ` +
    'leader of the group to give it to another one. Leaders of Kafka Connect do not know labels.'
  )
}
