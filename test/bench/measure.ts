import { readdirSync, readFileSync } from 'node:fs'
import type { Figures } from './report.ts'

/** So many records, or the part of them that BENCH_SCALE says: for a first look, not for figures to keep. */
export const scaled = (count: number): number => Math.round(count * Number(process.env['BENCH_SCALE'] ?? 1))

/** CPU seconds of a process, its children that live and those that have ended. */
export function cpuSeconds(pid: number): number {
  return tree(pid).reduce((sum, each) => {
    try {
      const fields = statOf(each)
      return sum + (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) / 100
    } catch {
      // It has ended since, and counts among the ended ones of its parent.
      return sum
    }
  }, 0)
}

/** CPU seconds of this process. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Times work until it is done at the destination; `cpu` is that of the process or processes that did it. */
export async function timed(count: number, cpu: () => number, work: () => Promise<void>): Promise<Figures> {
  const before = cpu()
  const started = performance.now()
  await work()
  const seconds = (performance.now() - started) / 1000
  return { records: count / seconds, cpuMicros: ((cpu() - before) * 1e6) / count }
}

/** Memory in MB of a process and its children: the sum of their proportional set sizes. */
export function pssMb(pid: number): number {
  return tree(pid).reduce((sum, each) => {
    try {
      const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${each}/smaps_rollup`, 'utf8'))
      return sum + Number(match?.[1] ?? 0) / 1024
    } catch {
      return sum
    }
  }, 0)
}

/** The process and all that descend from it. */
export function tree(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const parent = Number(statOf(Number(name))[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    } catch {
      // It ended while we looked.
    }
  }
  const found = [pid]
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i] as number) ?? []))
  return found
}

/** Fields of /proc/<pid>/stat after the name, which may hold spaces. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** The value below which the given part of the samples lies. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}
