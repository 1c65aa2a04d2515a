import { FINISHED, type PollResult, type SourceTask } from './connector.ts'
import type { SourcePosition, SourceRecord } from './record.ts'

/**
 * Makes a source task of an async generator of batches. The signal aborts when the task stops; a generator that
 * returns ends the task as finished.
 */
export function fromGenerator(
  generate: (signal: AbortSignal) => AsyncGenerator<readonly (SourceRecord | SourcePosition)[], void, void>,
): SourceTask {
  const abort = new AbortController()
  let batches: AsyncGenerator<readonly (SourceRecord | SourcePosition)[], void, void> | undefined
  let pending: Promise<IteratorResult<readonly (SourceRecord | SourcePosition)[], void>> | undefined
  return {
    async poll(signal): Promise<PollResult> {
      batches ??= generate(abort.signal)
      pending ??= batches.next()
      const stopped = new Promise<'stopped'>((resolve) => {
        if (signal.aborted) resolve('stopped')
        else signal.addEventListener('abort', () => resolve('stopped'), { once: true })
      })
      const result = await Promise.race([pending, stopped])
      if (result === 'stopped') return null
      pending = undefined
      return result.done ? FINISHED : result.value
    },
    async stop() {
      abort.abort(new Error('the task stops'))
      await batches?.return()
    },
  }
}
