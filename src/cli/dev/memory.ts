import { readdirSync, readFileSync } from 'node:fs'

/** Megabytes that a process and its children hold, shared pages divided among those that share them; null where the system does not tell. */
export function memoryMb(rootPid: number, leaveOut: readonly number[]): number | null {
  if (process.platform !== 'linux') return null
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) parents.set(Number(name), parentOf(name))
  }
  let total = 0
  for (const pid of parents.keys()) {
    if (descends(pid, rootPid, parents, leaveOut)) total += pssKb(pid)
  }
  return total / 1024
}

function descends(
  pid: number,
  root: number,
  parents: ReadonlyMap<number, number>,
  leaveOut: readonly number[],
): boolean {
  for (let each: number | undefined = pid; each !== undefined && each > 1; each = parents.get(each)) {
    if (leaveOut.includes(each)) return false
    if (each === root) return true
  }
  return false
}

function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    // It ended while we looked.
    return 0
  }
}

function pssKb(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
