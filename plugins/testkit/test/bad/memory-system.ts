/** A system in memory that bad plugins read from or write to; configurations name it by its number. */
export interface MemorySystem {
  readonly name: string
  /** What a source reads: null removes a thing. */
  readonly events: { id: string; payload: string; removed?: boolean; evolved?: boolean }[]
  /** How many of them the system takes for delivered. */
  done: number
  /** What a sink wrote. */
  readonly written: unknown[]
  /** What sinks leave behind to keep others out. */
  readonly locks: Set<string>
  away: boolean
}

const systems = new Map<string, MemorySystem>()

export function memorySystem(): MemorySystem {
  const name = String(systems.size)
  const system = { name, events: [], done: 0, written: [], locks: new Set<string>(), away: false }
  systems.set(name, system)
  return system
}

export function systemOf(name: string): MemorySystem {
  const system = systems.get(name)
  if (!system) throw new Error(`there is no system ${name}`)
  return system
}
