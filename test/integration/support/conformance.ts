// What the runs of the acceptance suite over built-in connectors have in common.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Gate, startGate } from '../../services/gate.ts'

/** A module of a connector, by its path in `connectors`. */
export const connector = (path: string): URL => new URL(`../../../connectors/${path}`, import.meta.url)

/** A folder of its own. */
export function temporary(): { readonly folder: string; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-conformance-'))
  return { folder, close: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What `outage` of the suite needs of a server that is reached through the gate. */
export const throughGate = (gate: Gate): { outage(): Promise<void>; restore(): Promise<void> } => ({
  outage: () => gate.shut(),
  restore: () => gate.open(),
})

/** The same URL, through the gate. */
export function urlThrough(gate: Gate, url: string): string {
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(gate.port)
  return through.href.replace(/\/$/, '')
}

export { type Gate, startGate }
