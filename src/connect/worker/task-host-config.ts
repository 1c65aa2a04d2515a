import { defineConfig } from '@millrace/sdk'

/** The keys of task hosts, Millrace's own additions to the worker's properties. */
export const taskHostConfig = defineConfig({
  'task.host.count': {
    type: 'int',
    default: 0,
    min: 0,
    importance: 'low',
    doc: 'How many processes share the tasks of the built-in connectors, and at most how many those of one plugin package. 0: one for each processor core.',
  },
  'task.host.memory.max.mb': {
    type: 'int',
    default: 1024,
    min: 64,
    importance: 'low',
    doc: 'A task host whose resident memory grows beyond this many megabytes is killed and the task to blame is found by splitting its tasks.',
  },
  'task.host.stall.timeout.ms': {
    type: 'long',
    default: 10_000,
    min: 100,
    importance: 'low',
    doc: 'A task host whose main loop stands still so long is killed; the task whose code it stands in is restarted in a host of its own, and fails when it stalls again.',
  },
})
