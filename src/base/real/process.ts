import fs from 'node:fs'

/** When a process started, in the kernel's own units, so that a pid that was given away again is not mistaken; '' where unknown. */
export function startOf(pid: number): string {
  return statOf(pid).split(' ')[19] ?? ''
}

/** Whether a process runs. One that has ended does not, though nobody may have waited for it: containers often have no init that does. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !hasEnded(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * A zombie holds nothing any more. While a process is being killed its first thread is one before the others have gone,
 * and these keep all of its files: a listener still takes connections, and a write to a disk still ends.
 */
function hasEnded(pid: number): boolean {
  if (!/^[ZX]/.test(statOf(pid))) return false
  try {
    return fs.readdirSync(`/proc/${pid}/task`).length <= 1
  } catch {
    return true
  }
}

/** What the kernel says of a process behind its name, which is in parentheses and may hold anything; '' where unknown. */
function statOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2)
  } catch {
    return ''
  }
}
