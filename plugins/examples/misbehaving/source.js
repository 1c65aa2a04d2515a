import { setTimeout as delay } from 'node:timers/promises'
import { defineConfig, defineSourceConnector, schemas } from '@millrace/sdk'

const config = defineConfig({
  topic: { type: 'string', importance: 'high', doc: 'Where the records go.' },
  mode: {
    type: 'string',
    importance: 'high',
    oneOf: [
      'behave',
      'loop',
      'loop-later',
      'leak',
      'throw',
      'hang-stop',
      'reject',
      'throw-later',
      'exit',
      'vanish',
      'lie',
    ],
    doc: 'What goes wrong.',
  },
  hook: {
    type: 'string',
    default: 'poll',
    oneOf: ['validate', 'taskConfigs', 'monitor', 'createTask', 'start', 'poll', 'commit', 'commitRecord', 'stop'],
    importance: 'low',
    doc: 'Where it is thrown, with mode throw.',
  },
  'after.polls': { type: 'int', default: 3, importance: 'low', doc: 'Polls that go well before it goes wrong.' },
})

const MEGABYTE = 1024 * 1024
const PARTITION = { counter: 'numbers' }

function throwIn(hook, settings) {
  if (settings.mode === 'throw' && settings.hook === hook) throw new TypeError(`thrown on purpose in ${hook}`)
}

/** Works for some polls, then does what `mode` says. */
class MisbehavingSourceTask {
  #settings
  #polls = 0
  #next = 0
  #leaked = []
  /** It gives offsets that cannot be stored, as if they were ones. */
  #lies = false
  /** Called for every record: it exists so that it can throw. */
  commitRecord

  constructor(settings) {
    this.#settings = settings
    throwIn('createTask', settings)
    if (settings.hook === 'commitRecord') this.commitRecord = () => throwIn('commitRecord', settings)
  }

  start() {
    throwIn('start', this.#settings)
  }

  async poll(signal) {
    if (++this.#polls > this.#settings['after.polls']) await this.#misbehave()
    await delay(10, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return null
    this.#next++
    return [
      {
        topic: this.#settings.topic,
        partition: null,
        key: null,
        keySchema: null,
        value: String(this.#next),
        valueSchema: schemas.string,
        headers: [],
        timestamp: null,
        sourcePartition: PARTITION,
        sourceOffset: { next: this.#lies ? { at: this.#next } : this.#next },
      },
    ]
  }

  async #misbehave() {
    switch (this.#settings.mode) {
      case 'loop':
        return spinForEver()
      case 'loop-later':
        await delay(1)
        return spinForEver()
      case 'leak':
        // Outside of the heap of V8, where its own limits do not count.
        this.#leaked.push(Buffer.alloc(16 * MEGABYTE, 1))
        return
      case 'reject':
        void Promise.reject(new Error('rejected on purpose and handled by nobody'))
        return
      case 'throw-later':
        setTimeout(() => {
          throw new Error('thrown on purpose in a timer')
        }, 1)
        return
      case 'vanish':
        // As a crash in native code: nothing is left that could say whose it was.
        process.reallyExit(9)
        return
      case 'lie':
        this.#lies = true
        return
      case 'exit':
        process.exit(7)
        return
      default:
        throwIn('poll', this.#settings)
    }
  }

  commit() {
    throwIn('commit', this.#settings)
  }

  async stop() {
    throwIn('stop', this.#settings)
    if (this.#settings.mode === 'hang-stop') await new Promise(() => {})
  }
}

function spinForEver() {
  for (;;) Math.sqrt(2)
}

export default defineSourceConnector({
  name: 'MisbehavingSource',
  version: '0.0.1',
  config,
  validate: (settings) => {
    throwIn('validate', settings)
    if (settings.mode === 'loop' && settings.hook === 'validate') spinForEver()
    return []
  },
  taskConfigs: (settings, maxTasks, raw) => {
    throwIn('taskConfigs', settings)
    return Array.from({ length: maxTasks }, () => raw)
  },
  monitor: (settings) => {
    throwIn('monitor', settings)
    return { stop: () => {} }
  },
  createTask: (settings) => new MisbehavingSourceTask(settings),
})
