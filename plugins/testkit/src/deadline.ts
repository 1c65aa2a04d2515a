/** Waits for a promise, but no longer than this. A failure says what was waited for. */
export async function within<T>(deadlineMs: number, what: string, work: Promise<T> | T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** How long tasks may take to stop at the end of a check that is not about it. */
export const CLEAN_UP_MS = 3000

/** Gives timers, sockets and promises a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** Lets time pass between two tries. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}

/** Waits until something holds; asks again and again, with a pause that grows. */
export async function until(
  deadlineMs: number,
  what: () => string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + deadlineMs
  for (let pauseMs = 1; !(await holds()); pauseMs = Math.min(100, pauseMs * 2)) {
    if (performance.now() > end) throw new Error(`${what()}: not within ${deadlineMs} ms`)
    await pause(pauseMs)
  }
}
