import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'

const PS_TIMEOUT_MS = 5000

/** Resident memory in bytes from the text of `/proc/<pid>/status`; null without that line, as in a process that has ended. */
export function residentOfStatus(status: string): number | null {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status)
  return match === null ? null : Number(match[1]) * 1024
}

/** Resident memory in bytes from what `ps -o rss=` prints; null when there is no such process. */
export function residentOfPs(output: string): number | null {
  const match = /^\s*(\d+)\s*$/.exec(output)
  return match === null ? null : Number(match[1]) * 1024
}

function fromProc(pid: number): number | null {
  try {
    return residentOfStatus(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return null
  }
}

/**
 * How the resident memory of another process is asked for: bytes, or null where the system does not tell or the process is
 * gone. Outside of Linux `ps` is asked, which takes its time: each question begins the look that answers the next one.
 */
export function memoryMeter(pid: number, platform: NodeJS.Platform = process.platform): () => number | null {
  if (platform === 'linux') return () => fromProc(pid)
  let latest: number | null = null
  let isLooking = false
  return () => {
    if (!isLooking) {
      isLooking = true
      execFile('ps', ['-o', 'rss=', '-p', String(pid)], { timeout: PS_TIMEOUT_MS }, (error, output) => {
        isLooking = false
        latest = error === null ? residentOfPs(output) : null
      })
    }
    return latest
  }
}
