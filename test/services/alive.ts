import { readFileSync } from 'node:fs'

/** Whether a process runs. One that has ended does not, although nobody may have waited for it: containers often have no init that does. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the process is in parentheses and may hold anything.
    return stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z'
  } catch {
    return process.platform !== 'linux'
  }
}
