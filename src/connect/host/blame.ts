import { AsyncLocalStorage } from 'node:async_hooks'
import type { UnitKey } from './host-protocol.ts'

const units = new AsyncLocalStorage<UnitKey>()

/** Where a debugger finds the unit whose code a host stands in; see stall-probe.ts. */
export const BLAME_SYMBOL = 'millrace.blame'

Object.defineProperty(globalThis, Symbol.for(BLAME_SYMBOL), { value: () => units.getStore() ?? null })

/** Runs code on behalf of a unit: everything it starts, however late, is blamed on the unit. */
export function runAs<T>(unit: UnitKey, action: () => T): T {
  return units.run(unit, action)
}

/** The unit on whose behalf code runs right now. */
export function currentUnit(): UnitKey | undefined {
  return units.getStore()
}
