import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { turn } from './deadline.ts'

let collect: (() => void) | undefined

/** Collects garbage, several times: what only finalizers let go of goes with the next. */
export async function collectGarbage(): Promise<void> {
  if (!collect) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  for (let times = 0; times < 3; times++) {
    collect()
    await turn()
  }
}

/** Bytes that are in use after a collection, in the heap of V8 and outside of it. */
export async function memoryUse(): Promise<number> {
  await collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
