import type { Timer } from '../../../base/index.ts'
import { realClock } from '../../../base/real/index.ts'
import { type Herder, HerderError } from '../../../connect/index.ts'

const INTERVAL_MS = 300

/** Prints the states of connectors and tasks whenever they change, and the reason of a failure. */
export class StateReporter {
  readonly #herder: Herder
  readonly #print: (text: string) => void
  readonly #last = new Map<string, string>()
  #timer: Timer | undefined

  constructor(herder: Herder, print: (text: string) => void) {
    this.#herder = herder
    this.#print = print
  }

  start(): void {
    this.#report()
    this.#timer = realClock.setTimer(INTERVAL_MS, () => this.start())
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #report(): void {
    for (const name of this.#herder.connectors()) {
      const text = stateText(this.#herder, name)
      if (text === undefined || this.#last.get(name) === text) continue
      this.#last.set(name, text)
      this.#print(text)
    }
  }
}

function stateText(herder: Herder, name: string): string | undefined {
  const status = statusOf(herder, name)
  if (status === undefined) return undefined
  const { connector, tasks } = status
  const states = tasks.map((task) => `task ${task.id} ${task.finished === true ? 'FINISHED' : task.state}`)
  const traces = [connector, ...tasks].flatMap(({ state, trace }) => (state === 'FAILED' && trace ? [trace] : []))
  return [`${name}: ${[`connector ${connector.state}`, ...states].join(', ')}`, ...traces].join('\n')
}

/** Undefined for a connector that has only just been created. */
function statusOf(herder: Herder, name: string): ReturnType<Herder['connectorStatus']> | undefined {
  try {
    return herder.connectorStatus(name)
  } catch (error) {
    if (error instanceof HerderError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
