import { defineConfig } from '@millrace/sdk'

/** Texts `name=value` that tell workers apart; a worker has them, a connector may require them. */
export type Labels = ReadonlySet<string>

export const noLabels: Labels = new Set()

export const WORKER_LABELS = 'worker.labels'
export const REQUIRED_LABELS = 'required.worker.labels'
const LABELS_MAX = 100
/** No comma and no space: a list of labels is one text. The length is bounded because every join carries them. */
const LABEL = /^[A-Za-z0-9][\w./-]{0,62}=[A-Za-z0-9][\w./-]{0,62}$/

/** What is wrong with labels as they are written in a configuration, or undefined. */
export function labelsProblem(labels: readonly string[]): string | undefined {
  const bad = labels.find((label) => !LABEL.test(label))
  if (bad !== undefined) {
    return (
      `${JSON.stringify(bad)} is no label; write name=value, for example zone=a: both begin with a letter or digit and ` +
      'have at most 63 letters, digits and . _ - / each'
    )
  }
  if (labels.length > LABELS_MAX) return `${labels.length} labels are more than ${LABELS_MAX}`
  const names = labels.map((label) => label.slice(0, label.indexOf('=')))
  const twice = names.find((name, i) => names.indexOf(name) < i)
  return twice === undefined ? undefined : `${twice} is there twice; a worker has one label of each name`
}

/** The labels of a worker. */
export const workerLabelsConfig = defineConfig({
  [WORKER_LABELS]: {
    type: 'list',
    default: [],
    validate: labelsProblem,
    importance: 'low',
    doc: 'Labels of this worker, each name=value. Connectors name those that they need in required.worker.labels.',
    example: 'zone=a,role=edge',
  },
})

/** What a connector asks of workers. */
export const requiredLabelsConfig = defineConfig({
  [REQUIRED_LABELS]: {
    type: 'list',
    default: [],
    validate: labelsProblem,
    importance: 'low',
    doc:
      'The connector and its tasks run only on workers that have all of these labels among their worker.labels. While ' +
      'there is no such worker they wait UNASSIGNED.',
    example: 'role=edge',
    group: 'Common',
    order: 16,
    width: 'long',
    displayName: 'Required Worker Labels',
  },
})

/** The labels of a configured text. What is no label is kept: no worker has it, so nothing runs where it must not. */
export function readLabels(text: string | undefined): Labels {
  const labels = (text ?? '').split(',').map((label) => label.trim())
  return new Set(labels.filter((label) => label !== ''))
}

/** Those of the required labels that are not there. */
export function lackingLabels(required: Labels, present: Labels): readonly string[] {
  return [...required].filter((label) => !present.has(label))
}

/** Labels as text, the same for the same labels. */
export function labelsText(labels: Iterable<string>): string {
  return [...labels].toSorted().join(',')
}
