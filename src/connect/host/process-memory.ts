import { readFileSync } from 'node:fs'

const PAGE_BYTES = 4096

/** The resident memory of another process in bytes; null where the system does not tell or the process is gone. */
export function residentBytes(pid: number): number | null {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1])
    return Number.isFinite(pages) ? pages * PAGE_BYTES : null
  } catch {
    return null
  }
}
