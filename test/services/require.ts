import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Whether a program is missing: says so loudly, and fails instead when MILLRACE_REQUIRE_SERVICES=1. */
export function requireCommand(command: string, fix: string): boolean {
  return isMissing(spawnSync('/bin/sh', ['-c', `command -v ${command}`]).status === 0, command, fix)
}

/** The same of a file, such as a module that a command loads. */
export function requireFile(path: string, fix: string): boolean {
  return isMissing(existsSync(path), path, fix)
}

function isMissing(isThere: boolean, command: string, fix: string): boolean {
  if (isThere) return false
  const message = `${command} is missing; ${fix}`
  if (process.env['MILLRACE_REQUIRE_SERVICES'] === '1') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
  return true
}
