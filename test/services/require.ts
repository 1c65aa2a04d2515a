import { spawnSync } from 'node:child_process'

/** Whether a program is missing: says so loudly, and fails instead when MILLRACE_REQUIRE_SERVICES=1. */
export function requireCommand(command: string, fix: string): boolean {
  if (spawnSync('/bin/sh', ['-c', `command -v ${command}`]).status === 0) return false
  const message = `${command} is missing; ${fix}`
  if (process.env['MILLRACE_REQUIRE_SERVICES'] === '1') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
  return true
}
